/**
 * The bus between nodes over PostgreSQL's `LISTEN` and `NOTIFY`, on a connection of its own.
 *
 * Life cycle: connecting → listening, told first with "look at all", since notices were missed until now → lost →
 * connecting again, later and later up to {@link retryMsMax}. A notice names the streams that have grown, at most
 * {@link noticeBytesMax}; longer ones become "look at all". Signals go when no heads wait, some to a notice, and give way
 * to newer ones. Invariants: one notice is under way at a time, and what
 * grows meanwhile joins the next, so that a slow database fills no memory; nobody ever waits for the bus. Where a
 * pooler swallows notices, the node says so once, and lives by the head check (ST-14).
 */
import { type Clock, limits, type Random, type TimerHandle } from "@holdfast/protocol";
import type { Log } from "../../observe/log.ts";
import type { Bus, BusNotice, FarSignal, StreamHead } from "../../streams/bus.ts";
import { createConnection, type PostgresConnection } from "./connection.ts";

/** PostgreSQL refuses 8,000. */
const noticeBytesMax = 4_000;
/** Of one batch of signals; those that fit into none of them are dropped. */
const signalNoticesMax = 8;
/** Heads that wait for the notice under way; above it they are "all". */
const waitingHeadsMax = 1_000;
const connectMsMax = 5_000;
const queryMsMax = 5_000;
const retryMsMin = 500;
const retryMsMax = 15_000;
/** A notice to oneself takes milliseconds. */
const echoMsMax = 5_000;
const channel = "holdfast_heads";
/** It is silent for as long as nothing happens, which is no reason to end it, whatever the role's default is. */
const listen = `select set_config('idle_session_timeout', '0', false); listen ${channel}`;
/** Those before its data, all of them texts. */
const signalFields = 4;

export interface PostgresBusSettings {
  /** A direct one: a pooler that gives each transaction another connection passes no notices on. */
  readonly url: string;
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface PostgresBus extends Bus {
  close(): Promise<void>;
}

/**
 * What is said, as JSON: who says it, and which streams, where no streams are all of them; or signals, which a program
 * that does not know them yet takes for nothing.
 */
type Notice = readonly [from: string, said: readonly HeadText[] | null | { readonly signals: readonly SignalText[] }];
type HeadText = readonly [workspace: string, stream: string, epoch: string, head: number];
type SignalText = readonly [workspace: string, stream: string, signal: string, from: string, data?: unknown];

export function openPostgresBus(settings: PostgresBusSettings): PostgresBus {
  const { clock, random, log } = settings;
  const self = Buffer.from(random.bytes(9)).toString("base64url");
  const connection = createConnection({ ...settings, connectMsMax, queryMsMax });
  const hearers = new Set<(notice: BusNotice) => void>();
  let waiting: StreamHead[] = [];
  let allWait = false;
  /** Texts of notices. */
  let waitingSignals: string[] = [];
  let sending = false;
  let isListening = false;
  /** Of this absence, also where it is the first thing that happens. */
  let isLossTold = false;
  let isClosed = false;
  let retryMs = retryMsMin;
  let timer: TimerHandle | undefined;
  let echo: TimerHandle | undefined;

  const tell = (notice: BusNotice): void => {
    for (const hear of hearers) hear(notice);
  };

  const connect = async (): Promise<void> => {
    timer = undefined;
    try {
      await connection.connect();
      await connection.query(listen);
    } catch (error) {
      connection.drop("the bus could not listen");
      again(error);
      return;
    }
    isListening = true;
    isLossTold = false;
    retryMs = retryMsMin;
    tell({ kind: "all" });
    awaitEcho();
    // What others grew into while this node could not say so, they are told as "all".
    allWait = true;
    flush();
  };

  const again = (error: unknown): void => {
    if (isClosed || timer !== undefined) return;
    if (!isLossTold) log.warn("bus.lost", { bus: "postgres", error });
    isLossTold = true;
    isListening = false;
    timer = clock.after(Math.round(retryMs * (0.5 + random.fraction())), () => void connect());
    retryMs = Math.min(retryMsMax, 2 * retryMs);
  };

  /** One's own first notice comes back, or none will come. */
  const awaitEcho = (): void => {
    if (echo !== undefined) clock.cancel(echo);
    echo = clock.after(echoMsMax, () => {
      echo = undefined;
      if (isListening)
        log.warn("bus.silent", {
          bus: "postgres",
          afterMs: echoMsMax,
          advice: "a pooler may swallow notices: give a direct connection as BUS_DATABASE_URL",
        });
    });
  };

  const flush = (): void => {
    if (sending || !isListening) return;
    const hasHeads = waiting.length > 0 || allWait;
    const text = hasHeads ? toText(self, allWait ? null : waiting) : waitingSignals.shift();
    if (text === undefined) return;
    if (hasHeads) {
      waiting = [];
      allWait = false;
    }
    sending = true;
    connection
      .query(`select pg_notify('${channel}', $1)`, [text])
      .catch(() => {
        // Lost with its connection: those who hear of the reconnection look at all.
        allWait = true;
      })
      .finally(() => {
        sending = false;
        flush();
      })
      .catch(() => {});
  };

  connection.onNotice((text) => {
    const notice = fromText(text);
    if (notice === undefined) return;
    if (notice.from === self) {
      if (echo !== undefined) clock.cancel(echo);
      echo = undefined;
      return;
    }
    tell(notice.said);
  });
  connection.onLost(again);
  void connect();

  return {
    publish(heads) {
      if (heads.length === 0) return;
      if (waiting.length + heads.length > waitingHeadsMax) {
        waiting = [];
        allWait = true;
      } else if (!allWait) waiting.push(...heads);
      flush();
    },
    publishSignals(signals) {
      waitingSignals = isListening ? signalTexts(self, signals) : [];
      flush();
    },
    listen(hear) {
      hearers.add(hear);
      return () => void hearers.delete(hear);
    },
    async close() {
      isClosed = true;
      isListening = false;
      if (timer !== undefined) clock.cancel(timer);
      if (echo !== undefined) clock.cancel(echo);
      hearers.clear();
      await closeOf(connection);
    },
  };
}

async function closeOf(connection: PostgresConnection): Promise<void> {
  connection.onLost(() => {});
  await connection.close();
}

function toText(self: string, heads: readonly StreamHead[] | null): string {
  const listed = heads?.map(({ workspace, stream, epoch, head }) => [workspace, stream, epoch, head] as const) ?? null;
  const text = JSON.stringify([self, listed] satisfies Notice);
  return Buffer.byteLength(text) <= noticeBytesMax ? text : JSON.stringify([self, null] satisfies Notice);
}

/** As many to a notice as it may have; the first ones, where there are too many. */
function signalTexts(self: string, signals: readonly FarSignal[]): string[] {
  const texts: string[] = [];
  const envelope = Buffer.byteLength(JSON.stringify([self, { signals: [] }] satisfies Notice));
  let part: string[] = [];
  let bytes = envelope;
  const cut = (): void => {
    if (part.length > 0) texts.push(`[${JSON.stringify(self)},{"signals":[${part.join(",")}]}]`);
    part = [];
    bytes = envelope;
  };
  for (const { workspace, stream, signal, from, data } of signals) {
    const names = [workspace, stream, signal, from] as const;
    const text = JSON.stringify((data === undefined ? names : [...names, data]) satisfies SignalText);
    const size = Buffer.byteLength(text) + 1;
    if (bytes + size > noticeBytesMax) cut();
    if (envelope + size > noticeBytesMax) continue;
    part.push(text);
    bytes += size;
  }
  cut();
  return texts.slice(0, signalNoticesMax);
}

/** undefined for what no node of ours said: anyone with the database's password may notify. */
function fromText(text: string): { readonly from: string; readonly said: BusNotice } | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(said) || typeof said[0] !== "string") return undefined;
  const [from, listed] = said as [string, unknown];
  if (listed === null) return { from, said: { kind: "all" } };
  if (isSignals(listed)) return { from, said: { kind: "signals", signals: listed.signals.map(signalOf) } };
  if (!Array.isArray(listed) || !listed.every(isHead)) return undefined;
  const heads = listed.map(([workspace, stream, epoch, head]) => ({ workspace, stream, epoch, head }));
  return { from, said: { kind: "heads", heads } };
}

function isSignals(value: unknown): value is { readonly signals: readonly SignalText[] } {
  if (typeof value !== "object" || value === null || !("signals" in value) || !Array.isArray(value.signals))
    return false;
  return value.signals.every(
    (one: unknown) =>
      Array.isArray(one) &&
      one.length >= signalFields &&
      one.slice(0, signalFields).every((field) => typeof field === "string") &&
      Buffer.byteLength(JSON.stringify(one[signalFields] ?? null)) <= limits.signalDataBytesMax,
  );
}

function signalOf([workspace, stream, signal, from, ...[data]]: SignalText): FarSignal {
  return { workspace, stream, signal, from, ...(data === undefined ? {} : { data }) };
}

function isHead(value: unknown): value is [string, string, string, number] {
  if (!Array.isArray(value)) return false;
  const [workspace, stream, epoch, head] = value as unknown[];
  return (
    typeof workspace === "string" &&
    typeof stream === "string" &&
    typeof epoch === "string" &&
    Number.isSafeInteger(head)
  );
}
