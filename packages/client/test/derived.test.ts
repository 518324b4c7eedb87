/**
 * What the client derives instead of keeping it: which requests are under way, who has let go, what was told already.
 *
 * Seen red: [AD-5] with the whole limit free at each flush; [RQ-1] with an answer heard whatever the request's phase;
 * [ST-6] with `gone` not looked at; [CL-11] with each status told anew; [OP-6] with the throw of `agent` swallowed.
 */
import { expect, it } from "vitest";
import { error } from "./support/modelServer.ts";
import { publisherScenario, reader, scenario } from "./support/scenario.ts";

it("[AD-5] no more requests are under way than `welcome` says, however often there is something to say", async () => {
  const limits = { frameBytes: 1_000_000, eventBytes: 1_000, requests: 2, publishBytes: 1_000, subscriptions: 1_000 };
  const { clock, server, session } = scenario({}, (model) => {
    model.welcomeExtras = { limits };
  });
  await clock.advance(100);
  const outcomes: unknown[] = [];
  for (let number = 1; number <= 5; number += 1) {
    void session.call("do", { number }).then((outcome) => outcomes.push(outcome));
    await clock.advance(1);
  }
  const requests = (): number => server.last.received.filter(({ type }) => type === "request").length;
  await clock.advance(4);
  expect(requests()).toBe(2);
  await clock.advance(100);
  expect([requests(), outcomes.length, session.outbox]).toEqual([5, 5, 0]);
});

it("[RQ-1] an answer to a request that waits for its retry is not its outcome", async () => {
  const { clock, server, session } = scenario({}, (model) => {
    model.answer = () => error("store_unavailable", true, { retryAfter: 1_000 });
  });
  await clock.advance(100);
  const outcome = session.call("do", {});
  await clock.advance(50);
  const request = server.last.received.find(({ type }) => type === "request");
  server.send(server.last, { type: "response", id: request?.type === "request" && request.id, result: "stray" });
  await clock.advance(50);
  expect(session.outbox).toBe(1);
  server.answer = () => undefined;
  await clock.advance(2_000);
  expect(await outcome).toEqual({ done: {} });
});

it("[ST-6] who lets go while another is given the same frame is given nothing of it", async () => {
  const { clock, server, session } = scenario();
  let second: ReturnType<typeof reader> | undefined;
  session.subscribe("s", { from: "start", onEvents: () => second?.stop() });
  second = reader(session, "s");
  await clock.advance(100);
  server.append("s", 1, 2);
  await clock.advance(100);
  expect(second.items).toEqual([]);
});

it("[CL-11] a status is told once, and a refusal with its error", async () => {
  const { clock, server, session } = scenario();
  const seen = reader(session, "s");
  await clock.advance(100);
  for (const item of [1, 2, 3]) {
    server.append("s", item);
    await clock.advance(100);
  }
  expect(seen.statuses).toEqual(["live"]);
  for (const sub of [1, 1])
    server.send(server.last, { type: "refused", of: "subscribe", stream: "s", sub, error: error("not_found", false) });
  await clock.advance(100);
  expect(seen.statuses.filter((kind) => kind === "live")).toHaveLength(1);
  expect(seen.statuses.at(-1)).toBe("refused");
});

it("[OP-6] an agent that cannot say who it is has no connection: the attempt fails, and is made again", async () => {
  let asked = 0;
  const identity = { name: "a", kind: "k", host: "h", capabilities: [], process: crypto.randomUUID(), open: [] };
  const { clock, server, session } = publisherScenario({
    agent() {
      asked += 1;
      if (asked === 1) throw new Error("no folder");
      return identity;
    },
  });
  await clock.advance(6);
  expect(session.state).toMatchObject({ kind: "waiting", reason: "Error: no folder" });
  await clock.advance(100);
  expect(server.connections.map(({ closedWith, hello }) => [closedWith, hello])).toEqual([[1000, undefined]]);
  await clock.advance(3_000);
  expect(server.last.hello?.agent).toEqual(identity);
});
