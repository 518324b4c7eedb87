/** What tests do with the notes app: append, publish many, and read back which offsets a client got. */
import { expect } from "vitest";
import type { TestClient, World } from "./world.ts";

export const append = (world: World, texts: readonly string[]) =>
  world.committer.run({
    kind: "append",
    workspace: "default",
    stream: "notes",
    events: texts.map((text) => ({ event: "note.added", data: { text } })),
  });
/** Offsets received of a stream, in order. */
export const offsets = (client: TestClient): number[] =>
  client.of("events").flatMap((message) => message.events.map((_event, index) => message.offset + index));
/** The offsets that a client's events cover, which must be one contiguous run. */
export function covered(client: TestClient): { from: number; through: number } {
  let next: number | undefined;
  let from = 0;
  for (const message of client.of("events")) {
    let at = message.offset;
    if (next === undefined) {
      next = at;
      from = at;
    }
    for (const event of message.events) {
      const first = event.offset ?? at;
      expect(first).toBe(next);
      next = (event.through ?? first) + 1;
      at = next;
    }
  }
  return { from, through: (next ?? 1) - 1 };
}
export const oneTo = (count: number): number[] => Array.from({ length: count }, (_value, index) => index + 1);

export async function publishMany(world: World, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    void append(
      world,
      Array.from({ length: Math.min(100, count - done) }, () => "x".repeat(200)),
    );
    await world.clock.advance(30);
  }
}
