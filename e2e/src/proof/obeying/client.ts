/**
 * A client that obeys docs/PROTOCOL.md over any network, written from that page alone: `ws`, JSON and nothing else.
 *
 * Life cycle: attempt → socket → `welcome` → lost → attempt … → closed. Invariants: one socket at a time, and an
 * abandoned one is never heard again (CL-6); cursors, outbox and producer belong to no connection. Its waits are
 * short, so that 200 losses fit into a minute; their shape is the protocol's.
 */
import { randomUUID } from "node:crypto";
import WebSocket from "ws";
import { type Message, plainHello } from "../../plainClient.ts";
import type { Applied } from "../verdict.ts";
import { type Counters, newCounters } from "./counters.ts";
import { createReading } from "./reading.ts";
import { createWriting } from "./writing.ts";

/** CL-3's shape with a low base and cap: full jitter, drawn after the cap. */
const backoffBaseMs = 20;
const backoffMsMax = 200;
/** LV-1 in small: silence for this long is asked about, and this long without an answer is death. */
const heartbeatIntervalMs = 250;
const heartbeatTimeoutMs = 750;
const repairJitterMs = 50;
const reasonCharactersMax = 100;
/** CL-2: codes after which a client does not come back. None of them is ever deserved here. */
const finalCodes: ReadonlySet<number> = new Set([4400, 4401, 4403, 4409, 4410]);

export interface ObeyingClient {
  readonly name: string;
  readonly applied: ReadonlyMap<string, readonly Applied[]>;
  readonly outcomes: ReadonlyMap<string, string | undefined>;
  readonly published: readonly string[];
  readonly counters: Readonly<Counters>;
  /** Why it gave up, where it did. */
  readonly stopped: string | undefined;
  /** Calls `note.add`. */
  write(text: string): void;
  /** Publishes to its own stream, `log/<name>`. */
  publish(text: string): void;
  /** Everything is answered, published, and read to the head. */
  isSettled(): boolean;
  close(): void;
}

export interface ObeyingOptions {
  /** Also its credential. */
  readonly name: string;
  readonly streams: readonly string[];
  /** Of the network on loopback. */
  readonly port: number;
  /** `Host` of the server behind the network. */
  readonly host: () => string;
  /** From 0 to below 1. */
  readonly draw: () => number;
}

/** One connection, from its attempt to its loss. */
interface Line {
  readonly socket: WebSocket;
  readonly openedAt: number;
  isWelcomed: boolean;
  /** The last `sub` that was used (ST-2). */
  sub: number;
  heardAt: number;
  askedAt: number | undefined;
}

export function createObeyingClient({ name, streams, port, host, draw }: ObeyingOptions): ObeyingClient {
  const counters = newCounters();
  const instance = randomUUID();
  const timers = new Set<NodeJS.Timeout>();
  let line: Line | undefined;
  let identity: { user: string; workspace: string } | undefined;
  let lastClose: { code: number; reason: string; uptime: number } | undefined;
  let failures = 0;
  let retryAfter: number | undefined;
  let stopped: string | undefined;
  let isClosed = false;

  const later = (ms: number, run: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!isClosed) run();
    }, ms);
    timers.add(timer);
  };
  const say = (...messages: readonly Message[]): void => {
    if (line?.socket.readyState === WebSocket.OPEN && messages.length > 0) line.socket.send(JSON.stringify(messages));
  };
  const reading = createReading(streams, counters);
  const writing = createWriting(`log/${name}`, counters, { say, later });

  const attempt = (): void => {
    counters.attempts += 1;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ["holdfast.v1"], { headers: { Host: host() } });
    const now = performance.now();
    const mine: Line = { socket, openedAt: now, isWelcomed: false, sub: 0, heardAt: now, askedAt: undefined };
    line = mine;
    socket.on("error", () => {});
    socket.on("close", (code, reason) => lost(mine, code, reason.toString()));
    socket.on("open", () => say(helloOf(mine)));
    socket.on("message", (frame) => {
      if (line !== mine) return;
      mine.heardAt = performance.now();
      mine.askedAt = undefined;
      for (const message of JSON.parse(String(frame)) as readonly Message[]) hear(mine, message);
    });
    watch(mine);
  };

  const lost = (mine: Line, code: number, reason: string): void => {
    if (line !== mine) return;
    line = undefined;
    writing.lost();
    const uptime = Math.round(performance.now() - mine.openedAt);
    lastClose = { code, reason: reason.slice(0, reasonCharactersMax), uptime };
    if (finalCodes.has(code)) stopped = `${code} ${reason}`;
    if (isClosed || stopped !== undefined) return;
    const ms = retryAfter ?? draw() * Math.min(backoffMsMax, backoffBaseMs * 2 ** failures);
    retryAfter = undefined;
    failures += 1;
    later(ms, attempt);
  };

  /** LV-1: only an unanswered ping proves death; a connection that does not open in that time is given up too. */
  const watch = (mine: Line): void =>
    later(heartbeatIntervalMs, () => {
      if (line !== mine) return;
      const now = performance.now();
      const waitedFrom = mine.isWelcomed ? (mine.askedAt ?? now) : mine.openedAt;
      if (now - waitedFrom > heartbeatTimeoutMs) {
        counters.deaths += 1;
        lost(mine, 1006, "no answer to a ping");
        mine.socket.terminate();
        return;
      }
      if (mine.isWelcomed && mine.askedAt === undefined && now - mine.heardAt > heartbeatIntervalMs) {
        mine.askedAt = now;
        say({ type: "ping", n: Math.round(now), visible: true });
      }
      watch(mine);
    });

  const nextSub = (mine: Line): number => {
    mine.sub += 1;
    return mine.sub;
  };

  const helloOf = (mine: Line): Message =>
    plainHello({
      instance,
      attempt: counters.attempts,
      token: name,
      subscribe: streams.map((stream) => reading.ask(stream, nextSub(mine))),
      ...(identity === undefined ? {} : { expect: identity }),
      ...(lastClose === undefined ? {} : { lastClose }),
    });

  const hear = (mine: Line, message: Message): void => {
    if (message.type === "welcome") welcomed(mine, message);
    else if (message.type === "bye") retryAfter = message["retryAfter"] as number | undefined;
    else if (message.type === "subscribed") reading.subscribed(message);
    else if (message.type === "events") repair(mine, reading.events(message));
    else if (message.type === "response") writing.answered(message);
    else if (message.type === "published") writing.wasPublished(message);
    else if (message.type === "refused" && message["of"] === "publish") writing.publishRefused(message);
    else if (message.type === "refused" || message.type === "error") stopped = JSON.stringify(message);
  };

  const welcomed = (mine: Line, message: Message): void => {
    const { id, workspace } = message["user"] as { id: string; workspace: string };
    identity = { user: id, workspace };
    counters.welcomes += 1;
    failures = 0;
    mine.isWelcomed = true;
    writing.welcomed(message["now"] as number);
  };

  /** ST-5: from the cursor again, after a jitter. */
  const repair = (mine: Line, stream: string | undefined): void => {
    if (stream === undefined) return;
    later(draw() * repairJitterMs, () => {
      if (line === mine) say({ type: "subscribe", ...reading.ask(stream, nextSub(mine)) });
    });
  };

  attempt();
  return {
    name,
    applied: reading.applied,
    outcomes: writing.outcomes,
    published: writing.published,
    counters,
    get stopped() {
      return stopped;
    },
    write: writing.write,
    publish: writing.publish,
    isSettled: () => line?.isWelcomed === true && writing.isSettled() && reading.isAtHead(),
    close() {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      line?.socket.terminate();
    },
  };
}
