/**
 * Publishes: each event of a producer is decided once, in order, and poison never blocks (PB-1…PB-3).
 *
 * The producer's row says how far it is decided. Events at or below it are dropped, a batch that starts
 * beyond it is refused with what is expected, the others are judged one by one: the envelope here, what the
 * app knows of them in the app's {@link Judge}. A rejected event consumes its sequence and stays named in the
 * row, at most {@link rejectionsKeptMax}, for the answer to every repeat.
 */
import { type ErrorBody, limits, ProtocolError } from "@holdfast/protocol";
import { publishedEvent } from "@holdfast/protocol/schema";
import type { NewEvent, PublishRequest, PublishVerdicts, Transaction } from "../plugin.ts";
import type { Dialect } from "./dialect.ts";
import type { Operation, PublishOutcome } from "./port.ts";
import { prepareQuery } from "./preparedQuery.ts";

const rejectionsKeptMax = 1_000;

type PublishOperation = Extract<Operation, { kind: "publish" }>;
export type Judge = (tx: Transaction, request: PublishRequest) => Promise<PublishVerdicts>;
type Rejection = PublishOutcome["rejected"][number];

export async function publish(
  dialect: Dialect,
  tx: Transaction,
  operation: PublishOperation,
  judge: Judge | undefined,
): Promise<PublishOutcome> {
  if (judge === undefined) throw new ProtocolError("forbidden", `nobody may publish to "${operation.stream}"`);
  const db = dialect.kysely;
  // Who may not publish learns nothing of anybody's record.
  const authorise = (): Promise<PublishVerdicts> => judge(tx, { ...envelopeOf(operation), events: [] });
  if (operation.events.length === 0) {
    await authorise();
    return recordOf(db, operation);
  }
  const record = await recordOf(db, operation);
  if (operation.sequence < 1)
    throw new ProtocolError("bad_message", `sequence ${operation.sequence} is not a first sequence; it starts at 1`, {
      details: { field: "sequence" },
    });
  if (operation.sequence > record.sequence + 1) {
    await authorise();
    throw new ProtocolError("sequence_gap", `expected sequence ${record.sequence + 1}, got ${operation.sequence}`, {
      details: { expected: record.sequence + 1 },
    });
  }
  const through = operation.sequence + operation.events.length - 1;
  if (through <= record.sequence) {
    await authorise();
    return { sequence: record.sequence, rejected: since(record.rejected, operation.sequence) };
  }
  const fresh = operation.events.slice(record.sequence + 1 - operation.sequence);
  const rejected = await judgeAll(tx, operation, fresh, record.sequence + 1, judge);
  const kept = [...record.rejected, ...rejected].slice(-rejectionsKeptMax);
  await keep(db, operation, through, kept, tx.now);
  return { sequence: through, rejected: [...since(record.rejected, operation.sequence), ...rejected] };
}

async function judgeAll(
  tx: Transaction,
  operation: PublishOperation,
  events: readonly unknown[],
  first: number,
  judge: Judge,
): Promise<Rejection[]> {
  const rejected: Rejection[] = [];
  const sound: { readonly sequence: number; readonly event: NewEvent }[] = [];
  events.forEach((event, index) => {
    const checked = checkEnvelope(event);
    if ("error" in checked) rejected.push({ sequence: first + index, error: checked.error });
    else sound.push({ sequence: first + index, event: checked.event });
  });
  const verdicts = await judge(tx, { ...envelopeOf(operation), events: sound.map(({ event }) => event) });
  verdicts.forEach((error, index) => {
    const judged = sound[index];
    if (error !== null && judged !== undefined) rejected.push({ sequence: judged.sequence, error });
  });
  return rejected.sort((left, right) => left.sequence - right.sequence);
}

function envelopeOf({ stream, caller, generation }: PublishOperation): Omit<PublishRequest, "events"> {
  return { stream, caller, ...(generation === undefined ? {} : { generation }) };
}

function checkEnvelope(value: unknown): { event: NewEvent } | { error: ErrorBody } {
  // No event is a text; one in its place says why the gateway did not let the event pass.
  if (typeof value === "string") return { error: new ProtocolError("bad_message", cut(value)).toBody() };
  const parsed = publishedEvent.safeParse(value);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join(".") ?? "";
    return {
      error: new ProtocolError(
        "bad_message",
        `the event's ${field === "" ? "shape" : field} is wrong: ${parsed.error.issues[0]?.message ?? ""}`,
        { details: { field } },
      ).toBody(),
    };
  }
  const bytes = Buffer.byteLength(JSON.stringify(parsed.data.data ?? null));
  if (bytes > limits.eventBytesMax) {
    return {
      error: new ProtocolError("too_large", `the event's data has ${bytes} bytes, more than ${limits.eventBytesMax}`, {
        details: { limitBytes: limits.eventBytesMax },
      }).toBody(),
    };
  }
  const { event, data, keyframe } = parsed.data;
  // A scope is looked up, so it must be kept as it was said; not every database can keep these.
  if (keyframe !== undefined && (keyframe.includes("\0") || !keyframe.isWellFormed()))
    return {
      error: new ProtocolError("bad_message", "the event's keyframe holds a NUL or half a surrogate pair", {
        details: { field: "keyframe" },
      }).toBody(),
    };
  return { event: { event, data: data ?? null, ...(keyframe === undefined ? {} : { keyframe }) } };
}

const cut = (text: string): string => text.slice(0, limits.nameLengthMax);
const since = (rejected: readonly Rejection[], sequence: number): Rejection[] =>
  rejected.filter((one) => one.sequence >= sequence);

async function recordOf(db: Database, operation: PublishOperation): Promise<PublishOutcome> {
  const [row] = await selectRecord(db, rowKeyOf(operation));
  return row === undefined
    ? { sequence: 0, rejected: [] }
    : { sequence: row.sequence, rejected: JSON.parse(row.rejected) as Rejection[] };
}

async function keep(
  db: Database,
  operation: PublishOperation,
  sequence: number,
  rejected: readonly Rejection[],
  at: number,
): Promise<void> {
  await keepRecord(db, { ...rowKeyOf(operation), sequence, rejected: JSON.stringify(rejected), at });
}

type Database = Dialect["kysely"];

type RowKey = { readonly workspace: string; readonly stream: string; readonly producer: string };

function rowKeyOf({ caller, stream, producer }: PublishOperation): RowKey {
  return { workspace: caller.workspace, stream, producer };
}

const selectRecord = prepareQuery<RowKey, { sequence: number; rejected: string }>(
  (db, { workspace, stream, producer }) =>
    db
      .selectFrom("producers")
      .select(["sequence", "rejected"])
      .where("workspace", "=", workspace)
      .where("stream", "=", stream)
      .where("producer", "=", producer),
);

type Record = { readonly sequence: number; readonly rejected: string; readonly at: number };

const keepRecord = prepareQuery<RowKey & Record, unknown>(
  (db, { workspace, stream, producer, sequence, rejected, at }) =>
    db
      .insertInto("producers")
      .values({ workspace, stream, producer, sequence, rejected, at })
      .onConflict((conflict) =>
        conflict.columns(["workspace", "stream", "producer"]).doUpdateSet({ sequence, rejected, at }),
      ),
);
