/**
 * Who may not read a stream learns nothing by how long the refusal takes.
 *
 * Seen red: with the forbidden one refused before the store was asked.
 */
import { expect, it } from "vitest";
import { createWorld } from "../support/world.ts";

it("[A2] [ST-18] each refusal waits for the same one question to the store: forbidden, unknown, of no family", async () => {
  const world = await createWorld();
  void world.committer.run({
    kind: "task",
    workspace: "default",
    task: "notes.inbox",
    input: { to: "bob", text: "secret" },
  });
  await world.clock.advance(10);
  const client = world.connect();
  await client.open();
  const questions: number[] = [];
  for (const [index, stream] of ["inbox/bob", "inbox/eve", "log/none", "nowhere"].entries()) {
    const before = world.store.asked;
    client.send({ type: "subscribe", stream, sub: index + 1, from: "start" });
    await world.clock.advance(10);
    questions.push(world.store.asked - before);
    expect(client.of("refused").at(-1)).toMatchObject({ stream, sub: index + 1, error: { code: "not_found" } });
  }
  expect(questions).toEqual([1, 1, 1, 1]);
});
