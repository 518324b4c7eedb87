/**
 * Every number that both sides must agree on, each named with its unit.
 *
 * These are the protocol's own numbers (PROTOCOL.md). What an operator may change travels in
 * `welcome.limits` and `welcome.heartbeat`; the values here are then the defaults. Numbers that
 * belong to one side only (queue sizes, windows of a node) live in that side.
 * Invariant: the relations at the bottom hold, and {@link assertHeartbeat} refuses settings that
 * break them (LV-5). This file deliberately knows no clock and no socket.
 */
import { assert } from "./assert.ts";

export const protocolVersion = 1;
export const subprotocol = "holdfast.v1";
/** A credential may ride beside the subprotocol as `bearer.<token>` (AU-1). */
export const bearerSubprotocolPrefix = "bearer.";

/** TR-3: one inbound frame, before and after `welcome`. */
export const frameBytesMax = 1024 * 1024;
export const frameBeforeWelcomeBytesMax = 64 * 1024;
/** TR-3: one event's `data`, as JSON. */
export const eventBytesMax = 128 * 1024;
/** TR-3: what an outbound frame of events aims at. */
export const frameTargetBytes = 32 * 1024;
/** TR-3: a response; larger results page. */
export const responseBytesMax = 512 * 1024;
/** TR-4: the 10th `error` within this window closes 4400. */
export const errorsBeforeClose = 10;
export const errorsWindowMs = 60_000;

/** OP-1 */
export const helloTimeoutMs = 10_000;
export const verdictTimeoutMs = 5_000;

/** LV-1, LV-2 */
export const heartbeatIntervalMs = 20_000;
export const heartbeatTimeoutMs = 10_000;
export const heartbeatTimeoutMsMax = 60_000;
export const hiddenSilenceMsMax = 90_000;
/** LV-3: a deadline found later than this is re-armed once, for that long. */
export const lateTimerMs = 1_000;
export const lateTimerGraceMs = 2_000;
/** LV-4 */
export const wakeTimerLateMs = 5_000;
export const wakePingTimeoutMs = 3_000;

/** CL-3 */
export const backoffBaseMs = 1_000;
export const backoffCapMs = 30_000;
export const attemptsStartApartMs = 1_000;
export const failuresBeforeSlow = 5;
export const stableAfterMs = 10_000;
/** CL-4: `retryAfter` outside 0…this is read as absent. */
export const retryAfterMsMax = 300_000;
export const manualReconnectApartMs = 5_000;
/** CL-2 */
export const refusalsOfFreshTokenMax = 3;
export const refusalsApartMs = 5_000;
export const protocolFaultsBeforeStop = 3;
/** CL-5 */
export const onlineJitterMs = 2_000;
/** CL-7 */
export const tokenUsableMsMin = 5_000;
/** CL-8, CL-1 */
export const closeFlushMs = 1_000;
export const closeFinishMsMax = 5_000;
export const endTcpAfterMs = 2_000;
/** CL-10 */
export const failedUpgradesBeforeAsking = 3;

/** RQ-1: how old an id may be, how far ahead, and how long its answer is kept. */
export const requestIdAgeMsMax = 23 * 3_600_000;
export const requestIdAheadMsMax = 5 * 60_000;
export const requestKeptMs = 24 * 3_600_000;
/** RQ-3 */
export const requestDeadlineMs = 30_000;
export const durableRequestKeptMs = 3_600_000;
/** RQ-5 */
export const internalRetriesMax = 3;
/** PB-4 */
export const producerBufferBytesMax = 8 * 1024 * 1024;

/** ST-5: jitter of a repair, and the cap when it is needed again and again. */
export const gapRepairJitterMs = 1_000;
export const gapRepairCapMs = 30_000;
/** ST-11 */
export const unsentBytesMax = 256 * 1024;
/** ST-17 */
export const signalDataBytesMax = 1024;
export const signalsPerSecond = 10;

/** AD-5 */
export const requestsUnderWayMax = 64;
export const publishUnderWayBytesMax = 1024 * 1024;
export const messagesPerSecond = 200;
export const messagesBurst = 400;
export const subscriptionsMax = 1_000;
export const pausedReadingMsMax = 300_000;
export const connectionsPerPrincipalMax = 50;

/** A stream's name, a request's method: long enough for any of ours, short enough for a log line. */
export const nameLengthMax = 200;

/** LV-5: refuses numbers that contradict each other, at start, naming both. */
export function assertHeartbeat(heartbeat: { interval: number; timeout: number }, serverSilenceMsMax: number): void {
  assert(
    heartbeat.timeout < heartbeat.interval,
    `heartbeat.timeout (${heartbeat.timeout} ms) must be less than heartbeat.interval (${heartbeat.interval} ms)`,
  );
  assert(
    serverSilenceMsMax >= heartbeat.interval + heartbeat.timeout,
    `the server's silence limit (${serverSilenceMsMax} ms) must be at least interval + timeout (${heartbeat.interval + heartbeat.timeout} ms)`,
  );
}
