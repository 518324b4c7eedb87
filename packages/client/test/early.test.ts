/**
 * Requests that are made before the server is ready (F67): at t = 0, with each phase of the opening late by 0 to 5 s, alone
 * and all at once. They go out after `welcome`, in their order, once; no phase is known by a wait.
 *
 * Seen red: with requests that go out as soon as the socket is open.
 */
import type { ClientSocket, ClientSocketEvents, Clock, Transport } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { createDurableSession } from "../src/durable/index.ts";
import { createSession } from "../src/index.ts";
import { memoryStorage, nothingKept } from "../src/storage/memory.ts";
import type { SessionStorage } from "../src/storage/port.ts";
import { ModelServer } from "./support/modelServer.ts";
import { makeRandom } from "./support/random.ts";
import { SimClock } from "./support/simClock.ts";

const phases = ["storage", "token", "upgrade", "hello", "welcome", "request", "answer"] as const;
type Phase = (typeof phases)[number];
type Lateness = Readonly<Record<Phase, number>>;
const lateMs = [0, 1, 999, 2_500, 4_999, 5_000];
const draws = 40;
/** An opening may fail for its lateness and be tried again. */
const settledMsMax = 60_000;
const nobodyLate: Lateness = { storage: 0, token: 0, upgrade: 0, hello: 0, welcome: 0, request: 0, answer: 0 };

/** Each way of a socket keeps its order, however late its pieces are. `before` is told what is said before `welcome`. */
function lateTransport(
  inner: Transport,
  clock: Clock,
  late: Lateness,
  before: (type: string | undefined) => void,
): Transport {
  const line = (first: number, others: number) => {
    let count = 0;
    let lastMs = 0;
    return (run: () => void): void => {
      lastMs = Math.max(lastMs, clock.monotonic() + (count === 0 ? first : others));
      count += 1;
      clock.after(lastMs - clock.monotonic(), run);
    };
  };
  return {
    open(url, protocols, hears): ClientSocket {
      const down = line(late.welcome, late.answer);
      const up = line(late.hello, late.request);
      const lateEvents: ClientSocketEvents = {
        opened: () => void clock.after(late.upgrade, hears.opened),
        received: (frame) =>
          down(() => {
            isWelcome = true;
            hears.received(frame);
          }),
        closed: (code, reason) => down(() => hears.closed(code, reason)),
      };
      let isWelcome = false;
      const socket = inner.open(url, protocols, lateEvents);
      const send = (frame: string): void => {
        if (!isWelcome) for (const { type } of JSON.parse(frame) as { type?: string }[]) before(type);
        up(() => socket.send(frame));
      };
      return { send, close: (code, reason) => socket.close(code, reason) };
    },
  };
}

/** What three requests became that were made at once with the session. */
async function sendAtOnce(late: Lateness, isDurable: boolean) {
  const clock = new SimClock();
  const server = new ModelServer(clock);
  const before: (string | undefined)[] = [];
  const held = memoryStorage(nothingKept());
  const storage: SessionStorage = {
    ...held,
    open: () => new Promise((resolve) => clock.after(late.storage, () => resolve(held.open()))),
  };
  const options = {
    url: "ws://server.test/ws",
    clientName: "test",
    clock,
    random: makeRandom(67),
    http: async () => ({ kind: "signedIn" }) as const,
    getToken: () => new Promise<string>((resolve) => clock.after(late.token, () => resolve("token"))),
    transport: lateTransport(server, clock, late, (type) => void before.push(type)),
  };
  const session = isDurable ? createDurableSession({ ...options, storage }) : createSession(options);
  const outcomes: string[] = [];
  for (const n of [1, 2, 3])
    session.call("do", { n }, { timeout: settledMsMax }).then(
      () => outcomes.push(`done ${n}`),
      (error: unknown) => outcomes.push(String(error)),
    );
  await clock.advance(settledMsMax);
  const closed = session.close();
  await clock.advance(settledMsMax);
  await closed;
  return { outcomes, effects: server.effects.map(({ params }) => (params as { n: number }).n), before };
}

describe.each([
  ["a plain session", false],
  ["one that keeps its requests", true],
] as const)("%s", (_, isDurable) => {
  const wanted = { outcomes: ["done 1", "done 2", "done 3"], effects: [1, 2, 3] };

  it.each(phases)("[F67] [OP-1] says it at t = 0, with a late %s: once, in order, after `welcome`", async (phase) => {
    for (const ms of lateMs) {
      const { before, ...became } = await sendAtOnce({ ...nobodyLate, [phase]: ms }, isDurable);
      expect(became, `${ms} ms`).toEqual(wanted);
      expect(new Set(before), `${ms} ms`).toEqual(new Set(["hello"]));
    }
  });

  it("[F67] [OP-1] says it at t = 0, with every phase late by 0 to 5 s", async () => {
    const random = makeRandom(67);
    for (let draw = 0; draw < draws; draw += 1) {
      const late = Object.fromEntries(phases.map((phase) => [phase, Math.round(random.fraction() * 5_000)]));
      const { before, ...became } = await sendAtOnce(late as Lateness, isDurable);
      expect(became, JSON.stringify(late)).toEqual(wanted);
      expect(new Set(before), JSON.stringify(late)).toEqual(new Set(["hello"]));
    }
  });
});
