/**
 * One record for each connection that was accepted, however early it ended.
 *
 * Seen red: with the peer's code told where we closed, with every end expected, with `leave` not heard, with good
 * messages not counted, with refusals not counted, and with nobody named who was not welcomed.
 */
import { closeCodes } from "@holdfast/protocol";
import { expect, it } from "vitest";
import type { ConnectionRecord } from "../../src/observe/connectionRecord.ts";
import { createWorld, type World } from "../support/world.ts";

const token = "hfk_eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJvd25lciJ9.c2lnbmF0dXJl";
const records = ({ log }: World): ConnectionRecord[] =>
  log.filter(({ event }) => event === "connection.closed").map(({ fields }) => fields as unknown as ConnectionRecord);

it("says who it was, how it opened, what went through it, and how it ended", async () => {
  const world = await createWorld();
  const client = world.connect();
  await client.open({ attempt: 3 });
  client.send({ type: "ping", n: 1, visible: true });
  client.send({ type: "nonsense" } as never);
  await world.clock.advance(5_000);
  client.drop();
  const [record] = records(world);
  expect(record).toMatchObject({
    node: world.node.context.node,
    attempt: 3,
    userName: "Ada",
    role: "admin",
    phases: { hello: 0, admitted: 0, welcomed: 0 },
    messagesIn: 3,
    errors: { bad_message: 1 },
    durationMs: 5_010,
    code: closeCodes.lost,
    expected: false,
  });
  expect(record?.messagesOut).toBeGreaterThanOrEqual(3);
  expect(record?.bytesOut).toBeGreaterThan(100);
});

it("has a record of who never said hello, and of who was refused, without a user", async () => {
  const world = await createWorld();
  world.connect();
  await world.clock.advance(60_000);
  world.verdict = () => ({ kind: "refused", reason: "it has ended" });
  const refused = world.connect();
  await refused.open().catch(() => {});
  await world.clock.advance(5_000);
  const [silent, denied] = records(world);
  expect(silent).toMatchObject({ code: closeCodes.silent, phases: {}, expected: false });
  expect(denied).toMatchObject({ code: closeCodes.unauthenticated, phases: { hello: 0, admitted: 0 }, expected: true });
  expect([silent?.user, denied?.user, denied?.phases.welcomed]).toEqual([undefined, undefined, undefined]);
});

it("names who was verified and yet not let in", async () => {
  const world = await createWorld();
  const other = world.connect();
  await other.open({ expect: { user: "somebody else", workspace: "default" } }).catch(() => {});
  await world.clock.advance(5_000);
  expect(records(world)[0]).toMatchObject({
    code: closeCodes.identityChanged,
    userName: "Ada",
    phases: { hello: 0, admitted: 0 },
    messagesIn: 1,
  });
});

it("[L2] [L1] holds no credential and no control character, wherever a client puts one", async () => {
  const world = await createWorld();
  const [named, ended, mistyped] = [world.connect(), world.connect(), world.connect()];
  await named.open({ client: { name: `page ${token}\u001b[2J`, version: "1" } });
  named.drop();
  await ended.open();
  ended.drop(closeCodes.normal, `bye ${token}\n`);
  mistyped.send({ type: `hfk_${"0".repeat(20)}` } as never);
  await world.clock.advance(5_000);
  const kept = world.node.context.records.recent.newest(10);
  expect(kept).toHaveLength(3);
  for (const { client = "", reason } of kept) expect(client + reason).not.toMatch(/hfk_|eyJ|\p{Cc}/u);
  expect(kept.map(({ reason }) => reason)).toContain("bye [masked]\\n");
});

it("[CL-8] [CL-9] expects the end of who said leave, and of those a stopping server sends on", async () => {
  const world = await createWorld();
  const [polite, stayed] = [world.connect(), world.connect()];
  await polite.open();
  await stayed.open();
  polite.send({ type: "leave" });
  polite.drop();
  const stopping = world.node.stop();
  await world.clock.advance(10_000);
  await stopping;
  expect(records(world).map(({ code, expected }) => [code, expected])).toEqual([
    [closeCodes.lost, true],
    [closeCodes.restart, true],
  ]);
});
