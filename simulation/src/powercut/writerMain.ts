/**
 * The process that is killed, cut off or starved: a store under load, which says each batch before it is sent and
 * after it is acknowledged.
 *
 * Life cycle: opens the store → asks how far the producer is decided → sends the mark without an answer again → sends
 * batches, each as soon as the one before is answered, until it is ended from outside. What the store refuses is
 * sent again under the same keys, as a client does. Invariant: a line is with the operating system before the next
 * step, so that it survives this process.
 */
import { createHash, randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { uuidv7 } from "@holdfast/protocol";
import { platformClock } from "../../../packages/server/src/ports/platform.ts";
import type { Operation, Outcome, PublishOutcome, Store } from "../../../packages/server/src/store/port.ts";
import { openSqliteStore } from "../../../packages/server/src/store/sqlite/store.ts";
import type { Said } from "./history.ts";
import { app, caller, logStream, markMethod, producer, workspace } from "./place.ts";

const eventsMax = 40;
const eventBytesMax = 2_000;
const afterRefusalMs = 20;
const exitCannotOpen = 2;

/** What {@link startWriter} passes. */
export interface WriterSettings {
  readonly folder: string;
  /** The mark without an answer. */
  readonly again?: string;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as WriterSettings;
const say = (said: Said): void => void writeSync(1, `${JSON.stringify(said)}\n`);
const random = (max: number): number => 1 + Math.floor(Math.random() * max);

try {
  const store = await openSqliteStore({
    folder: settings.folder,
    plugins: [app],
    clock: platformClock,
    onFailure: (error) => {
      process.stderr.write(`a worker died: ${String(error)}\n`);
      process.exit(1);
    },
  });
  await write(store);
} catch (error) {
  // One sentence, as the command line does.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCannotOpen;
}

async function write(store: Store): Promise<void> {
  const epoch = (await store.position(workspace, logStream))?.epoch ?? null;
  let through = await recordOf(store);
  say({ kind: "opened", epoch, record: through });
  let token = settings.again;
  for (;;) {
    token ??= uuidv7(Date.now(), randomBytes(10));
    const first = through + 1;
    through += random(eventsMax);
    await send(store, first, through, token);
    token = undefined;
  }
}

/** One batch, until it is acknowledged. */
async function send(store: Store, first: number, through: number, token: string): Promise<void> {
  const text = "x".repeat(random(eventBytesMax));
  const events = Array.from({ length: through - first + 1 }, (_value, index) => ({
    event: "line",
    data: { number: first + index, text },
  }));
  const batch: Operation[] = [
    { kind: "publish", caller, stream: logStream, producer, sequence: first, events },
    {
      kind: "request",
      caller,
      id: token,
      method: markMethod,
      params: { id: token, value: token },
      hash: hashOf(token),
    },
  ];
  for (;;) {
    say({ kind: "begun", through, token });
    const code = refusal(await store.commit(batch).then(({ outcomes }) => outcomes, asRefusal));
    if (code === undefined) {
      // What was acknowledged can be read: that is part of the promise.
      const position = await store.position(workspace, logStream);
      say({ kind: "done", through, token, epoch: position?.epoch ?? "none" });
      return;
    }
    say({ kind: "refused", through, code });
    await sleep(afterRefusalMs);
  }
}

async function recordOf(store: Store): Promise<number> {
  const ask: Operation = { kind: "publish", caller, stream: logStream, producer, sequence: 0, events: [] };
  for (;;) {
    const { outcomes } = await store.commit([ask]).catch(() => ({ outcomes: [] }));
    const [outcome] = outcomes as readonly Outcome[];
    if (outcome?.ok === true) return (outcome.value as PublishOutcome).sequence;
    await sleep(afterRefusalMs);
  }
}

function refusal(outcomes: readonly Outcome[]): string | undefined {
  for (const outcome of outcomes) if (!outcome.ok) return outcome.error.code;
  return undefined;
}

function asRefusal(error: unknown): readonly Outcome[] {
  const { code } = error as { code?: unknown };
  if (code !== "store_unavailable") throw error;
  return [{ ok: false, error: { code: "store_unavailable", message: "", retryable: true } }];
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
