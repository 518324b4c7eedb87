/**
 * What the server's store holds, read from its file beside the server, again and again: the truth that all else is
 * compared with.
 *
 * Each look is a read-only connection of its own, and takes what is above the last one, so that an event is known before
 * retention removes it. An event that was seen and is gone, and is neither removed by retention nor under a new epoch,
 * was lost: the last look compares. It deliberately uses no code of the server's but the shape of its two tables.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Observation } from "../judge/observation.ts";
import { contentOf } from "./content.ts";

const rowsMax = 50_000;

/** One event as it lies in the store. */
export interface LoggedEvent {
  readonly workspace: string;
  readonly stream: string;
  readonly epoch: string;
  readonly offset: number;
  readonly at: number;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly content: string;
}

export interface StoreLog {
  /** Everything that was ever seen, in order of each stream. */
  readonly events: readonly LoggedEvent[];
  /** Reads what is new. Throws where the store cannot be read. */
  look(): void;
  /** Stream → its last offset, in the workspace of the tests. */
  heads(): ReadonlyMap<string, number>;
  /** Compares all that was seen with what is there now. */
  compare(): readonly Observation[];
}

interface StreamRow {
  readonly id: number;
  readonly workspace: string;
  readonly name: string;
  readonly epoch: string;
  readonly head: number;
  readonly trimmed: number;
}

interface EventRow {
  readonly offset: number;
  readonly at: number;
  readonly event: string;
  readonly data: string;
}

export function makeStoreLog(data: string): StoreLog {
  const file = join(data, "holdfast.db");
  const events: LoggedEvent[] = [];
  const seen = new Map<number, { epoch: string; offset: number }>();
  const heads = new Map<string, number>();

  function withStore<Value>(use: (database: DatabaseSync) => Value): Value {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    try {
      return use(database);
    } finally {
      database.close();
    }
  }

  function lookAt(database: DatabaseSync, row: StreamRow): void {
    const place = seen.get(row.id) ?? { epoch: row.epoch, offset: 0 };
    if (place.epoch !== row.epoch) throw new Error(`${row.name} has a new epoch: nothing of this run makes one`);
    const rows = database
      .prepare(
        'select "offset", at, event, data from events where stream = ? and "offset" > ? order by "offset" limit ?',
      )
      .all(row.id, place.offset, rowsMax) as unknown as readonly EventRow[];
    for (const { offset, at, event, data } of rows) {
      const parsed = JSON.parse(data) as Readonly<Record<string, unknown>>;
      const content = contentOf(event, parsed);
      const { workspace, name: stream, epoch } = row;
      events.push({ workspace, stream, epoch, offset, at, event, data: parsed, content });
      place.offset = offset;
    }
    seen.set(row.id, place);
    heads.set(row.name, row.head);
  }

  return {
    events,
    look() {
      if (!existsSync(file)) return;
      withStore((database) => {
        // One snapshot for heads and events.
        database.exec("begin");
        for (const row of streamsOf(database)) lookAt(database, row);
        database.exec("commit");
      });
    },
    heads: () => heads,
    compare: () => withStore((database) => streamsOf(database).flatMap((row) => removedOf(database, row, events))),
  };
}

function streamsOf(database: DatabaseSync): readonly StreamRow[] {
  return database
    .prepare("select id, workspace, name, epoch, head, trimmed from streams")
    .all() as unknown as readonly StreamRow[];
}

/**
 * Which of the events that were seen are not there any more. Retention may remove what a later keyframe of the same
 * scope replaced (ST-10), so a removed event must have one behind it; anything else is reported as rolled back.
 */
function removedOf(database: DatabaseSync, row: StreamRow, events: readonly LoggedEvent[]): readonly Observation[] {
  const left = new Set(
    (
      database.prepare('select "offset" from events where stream = ?').all(row.id) as unknown as readonly {
        readonly offset: number;
      }[]
    ).map(({ offset }) => offset),
  );
  const { workspace, name: stream } = row;
  const ofStream = events.filter((event) => event.stream === stream && event.workspace === workspace);
  const lastScreen = ofStream.findLast(({ event }) => event === "terminal.screen")?.offset ?? 0;
  return ofStream
    .filter(({ offset }) => !left.has(offset))
    .map(({ offset, event }): Observation => {
      const isReplaced = event.startsWith("terminal.") && offset < lastScreen;
      return isReplaced
        ? { kind: "removed", at: 0, workspace, stream, offset, through: offset }
        : { kind: "rolledBack", at: 0, workspace, stream, head: offset - 1 };
    });
}
