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
import type { Kysely } from "kysely";
import type { NewEvent, PublishRequest, PublishVerdicts, Transaction } from "../plugin.ts";
import type { Dialect } from "./dialect.ts";
import type { Operation, PublishOutcome } from "./port.ts";
import type { StoreTables } from "./schema.ts";

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
  const db = dialect.kysely as Kysely<StoreTables>;
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
  return { event: { event, data: data ?? null, ...(keyframe === undefined ? {} : { keyframe }) } };
}

const cut = (text: string): string => text.slice(0, limits.nameLengthMax);
const since = (rejected: readonly Rejection[], sequence: number): Rejection[] =>
  rejected.filter((one) => one.sequence >= sequence);

async function recordOf(db: Kysely<StoreTables>, operation: PublishOperation): Promise<PublishOutcome> {
  const row = await db
    .selectFrom("producers")
    .select(["sequence", "rejected"])
    .where("workspace", "=", operation.caller.workspace)
    .where("stream", "=", operation.stream)
    .where("producer", "=", operation.producer)
    .executeTakeFirst();
  return row === undefined
    ? { sequence: 0, rejected: [] }
    : { sequence: row.sequence, rejected: JSON.parse(row.rejected) as Rejection[] };
}

async function keep(
  db: Kysely<StoreTables>,
  operation: PublishOperation,
  sequence: number,
  rejected: readonly Rejection[],
  at: number,
): Promise<void> {
  const values = { sequence, rejected: JSON.stringify(rejected), at };
  await db
    .insertInto("producers")
    .values({
      workspace: operation.caller.workspace,
      stream: operation.stream,
      producer: operation.producer,
      ...values,
    })
    .onConflict((conflict) => conflict.columns(["workspace", "stream", "producer"]).doUpdateSet(values))
    .execute();
}
