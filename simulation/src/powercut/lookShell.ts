/** What is in a store's folder, read by the production code after it recovered what it found there. */
import type { Outcome, PublishOutcome } from "../../../packages/server/src/store/port.ts";
import { openSqliteStore } from "../../../packages/server/src/store/sqlite/store.ts";
import type { Found } from "./history.ts";
import { caller, logStream, producer, workspace } from "./place.ts";

const pageEventsMax = 4_000;
const pageBytesMax = 1024 * 1024;

/** Opens the store, reads all of it, and closes it. Rejects where it does not open. */
export async function lookInto(folder: string): Promise<Found> {
  const store = await openSqliteStore({
    folder,
    plugins: [new URL("./durableApp.ts", import.meta.url)],
    onFailure: () => {},
  });
  try {
    const numbers: number[] = [];
    for (;;) {
      const { pieces } = await store.read(workspace, logStream, numbers.length, pageEventsMax, pageBytesMax);
      if (pieces.length === 0) break;
      for (const { bytes } of pieces) {
        const events = JSON.parse(`[${new TextDecoder().decode(bytes)}]`) as { data: { number: number } }[];
        numbers.push(...events.map(({ data }) => data.number));
      }
    }
    const { outcome } = await store.query(caller, "mark.list", {});
    const { outcomes } = await store.commit([
      { kind: "publish", caller, stream: logStream, producer, sequence: 0, events: [] },
    ]);
    return {
      epoch: (await store.position(workspace, logStream))?.epoch ?? null,
      numbers,
      record: told<PublishOutcome>(outcomes[0]).sequence,
      tokens: told<{ tokens: string[] }>(outcome).tokens,
    };
  } finally {
    await store.close();
  }
}

function told<Value>(outcome: Outcome | undefined): Value {
  if (outcome?.ok !== true) throw new Error(`the store does not tell: ${JSON.stringify(outcome)}`);
  return outcome.value as Value;
}
