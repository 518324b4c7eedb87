/**
 * Batches that the database undid through no fault of their own are run again.
 *
 * Life cycle: run whole → undone against another transaction → run whole again, {@link attemptsMax} times in all →
 * each operation alone, so that one which cannot pass costs the others nothing. Each repetition differs from the
 * one before: what it lost against has ended. Invariant: only a batch of which nothing stands is run again. A
 * database that does not answer ends it: nothing is tried twice against it here.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Engine } from "../engine.ts";
import type { BatchResult, Fault, Operation } from "../port.ts";
import { troubleOf } from "./errors.ts";

const attemptsMax = 3;
const retryAfterMs = 1_000;

export interface BatchParts {
  readonly engine: Pick<Engine, "commit">;
  /** Makes the name under which the log has a fault. */
  readonly newRef: () => string;
}

/** Rejects where the database does not answer and nothing of the batch is known to be done. */
export async function commitBatch(parts: BatchParts, batch: readonly Operation[]): Promise<BatchResult> {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    try {
      return await parts.engine.commit(batch);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === "unavailable") throw error;
      // A statement that was wrong at the append or the commit will be so again: whose it is shows one by one.
      if (trouble === "statement") break;
    }
  }
  return oneByOne(parts, batch);
}

async function oneByOne(parts: BatchParts, batch: readonly Operation[]): Promise<BatchResult> {
  const results: BatchResult[] = [];
  for (const operation of batch) {
    try {
      results.push(await parts.engine.commit([operation]));
    } catch (error) {
      // What is done is done and must be told; the rest is not, and is to be sent again.
      if (troubleOf(error) === "unavailable" && results.length === 0) throw error;
      results.push(undone(parts, operation, error));
    }
  }
  return {
    outcomes: results.flatMap(({ outcomes }) => outcomes),
    faults: results.flatMap(({ faults }) => faults),
    appended: results.flatMap(({ appended }) => appended),
  };
}

/** What is told of an operation of which nothing stands; the log always has why. */
function undone({ newRef }: BatchParts, operation: Operation, error: unknown): BatchResult {
  const ref = newRef();
  const fault: Fault = { ref, operation: operation.kind, error };
  const body =
    troubleOf(error) === "statement"
      ? new ProtocolError("internal", `${operation.kind} failed`, { details: { ref } })
      : new ProtocolError("store_unavailable", "the store undid the operation", { retryAfter: retryAfterMs });
  return { outcomes: [{ ok: false, error: body.toBody() }], faults: [fault], appended: [] };
}
