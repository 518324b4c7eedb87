/** The client's own numbers, each with its unit. What both sides must agree on is `limits` of `@holdfast/protocol`. */

/** From the start of an attempt to `welcome`: longer than the server's own verdicts (OP-1), shorter than patience. */
export const openingTimeoutMs = 15_000;
/** Attempts that an `online` hint brings forward (CL-5): a flapping network may not pass the backoff more often. */
export const hintedAttemptsApartMs = 5_000;
/** `hello` must fit `frameBeforeWelcomeBytesMax`: further subscriptions follow the `welcome`. */
export const helloCharactersMax = 60 * 1024;
/** Repairs of one stream's gaps in this window count towards the doubling (ST-5). */
export const gapRepairWindowMs = 60_000;
export const gapRepairsBeforeDoubling = 3;
/** LV-1: a connection this old has shown that the heartbeat's timeout is long enough. */
export const heartbeatProvenMs = 60_000;
/** A frame that the client writes is cut here; each message in it is smaller. */
export const outboundFrameCharactersMax = 256 * 1024;
/** No server can ask for more pings than this, whatever its `welcome` says. */
export const heartbeatMsMin = 1_000;
/** CL-8: how long the server may take to answer our close frame. */
export const endingTimeoutMs = 1_000;
/** Requests that wait for their answers: more of them are refused with `queue_full`. */
export const outboxEntriesMax = 1_000;
/** CL-7: questions for a token that follow each other within seconds; see `tokenDelay`. */
export const tokenQuestionsSoon = 3;
/** ST-16: how often the server is told how its events arrived here. */
export const statisticsApartMs = 60_000;
