/**
 * A socket that was given up may go on speaking: the network still holds what it said. Nothing of it counts.
 *
 * Seen red: [F63] with both guards gone, the socket's (`mine`) and the core's (`stepConnection`); either holds alone.
 */
import type { ClientSocketEvents } from "@holdfast/protocol";
import { expect, it } from "vitest";
import { createSession } from "../src/index.ts";
import { makeRandom } from "./support/random.ts";
import { reader } from "./support/scenario.ts";
import { SimClock } from "./support/simClock.ts";

interface Opened {
  readonly hears: ClientSocketEvents;
  /** Messages that were sent on it. */
  readonly sent: Record<string, unknown>[];
}

const epoch = "e1";
const user = { id: "ada", name: "Ada", role: "operator", workspace: "default", temporary: false };
const limits = { frameBytes: 1e6, eventBytes: 1e5, requests: 64, publishBytes: 1e6, subscriptions: 1_000 };
const heartbeat = { interval: 20_000, timeout: 10_000 };
const event = (offset: number, data: unknown): object => ({
  type: "events",
  stream: "log",
  offset,
  head: offset,
  events: [{ event: "said", at: 1, data }],
});

function say({ hears }: Opened, ...messages: readonly object[]): void {
  hears.received(JSON.stringify(messages));
}

function welcome(opened: Opened, offset: number): void {
  opened.hears.opened();
  const [hello = {}] = opened.sent;
  const [asked] = hello["subscribe"] as readonly { readonly sub: number }[];
  const connection = { connection: "c", node: "n", now: 1, user, heartbeat, spread: 0, limits, features: {} };
  say(
    opened,
    { type: "welcome", ...connection },
    { type: "subscribed", stream: "log", sub: asked?.sub, epoch, offset, head: offset },
  );
}

it("[F63] [CL-6] [X6] events, answers and the close of a superseded socket change nothing", async () => {
  const clock = new SimClock();
  const sockets: Opened[] = [];
  const session = createSession({
    url: "ws://server.test/ws",
    clientName: "test",
    clock,
    random: makeRandom(1),
    http: async () => ({ kind: "signedIn" }),
    transport: {
      open(_url, _protocols, hears) {
        const opened: Opened = { hears, sent: [] };
        sockets.push(opened);
        // A network that cannot tell the other side anything any more, and this one nothing of its close.
        return { send: (frame) => void opened.sent.push(...JSON.parse(frame)), close: () => {} };
      },
    },
  });
  const seen = reader(session, "log");
  await clock.advance(2_000);
  const [first] = sockets;
  if (first === undefined) throw new Error("no socket");
  welcome(first, 0);
  say(first, event(1, "one"));
  const answer = session.call("do", {}, { timeout: 300_000 });
  await clock.advance(10);
  const request = first.sent.find(({ type }) => type === "request");

  // Silence: the ping has no answer, the socket is given up, and another one opens.
  await clock.advance(40_000);
  const second = sockets.at(-1);
  if (second === undefined || second === first) throw new Error("no second socket");
  // While nothing is open, and while the second one is: late words of the first.
  say(first, event(2, "late"), { type: "response", id: request?.["id"], result: "late" });
  welcome(second, 1);
  say(first, event(2, "late"), { type: "response", id: request?.["id"], result: "late" });
  first.hears.closed(4400, "late");
  await clock.advance(10);
  expect([session.state.kind, session.outbox, seen.items]).toEqual(["live", 1, ["one"]]);

  say(second, event(2, "two"), { type: "response", id: request?.["id"], result: "in time" });
  await clock.advance(10);
  expect(await answer).toBe("in time");
  expect(seen.items).toEqual(["one", "two"]);
  expect(sockets).toHaveLength(2);
  const closed = session.close();
  await clock.advance(20_000);
  await closed;
});
