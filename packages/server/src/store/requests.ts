/**
 * Stored answers: a request's effect happens at most once, whatever is repeated (RQ-1, RQ-4).
 *
 * Life cycle of a key: unknown → its operation runs → its final answer is stored in the same transaction →
 * every repeat gets that answer, until retention removes it. Invariant: a retryable error is never stored.
 */
import { type ErrorBody, errorRules, limits, ProtocolError, uuidv7TimeMs } from "@holdfast/protocol";
import type { Kysely } from "kysely";
import type { SomeTables } from "../plugin.ts";
import type { Operation } from "./port.ts";
import { prepareQuery } from "./preparedQuery.ts";

type RequestOperation = Extract<Operation, { kind: "request" }>;

export interface Answering {
  readonly db: Kysely<SomeTables>;
  readonly now: number;
  readonly operation: RequestOperation;
}

export const answer = { once, keepError };

type Answer = { result: unknown } | { error: ErrorBody };

/** The stored answer, or the effect's, which is then stored. Throws what the caller is to be told. */
async function once(
  answering: Answering,
  effect: () => Promise<{ result: unknown; stored: unknown }>,
): Promise<unknown> {
  const { operation, now } = answering;
  const stored = await find(answering, operation.id);
  if (stored !== undefined) {
    if (stored.hash !== operation.hash) {
      throw new ProtocolError("conflict", `request ${operation.id} was sent before with another method or params`, {
        details: { reason: "reused" },
      });
    }
    return replay(JSON.parse(stored.answer) as Answer);
  }
  requireFresh(operation, now);
  await requireAfter(answering);
  const { result, stored: kept } = await effect();
  await keep(answering, { result: kept ?? null });
  return result ?? null;
}

/** Stores a final error under the key, after its operation was undone. */
async function keepError(answering: Answering, error: ErrorBody): Promise<void> {
  if (!errorRules[error.code].stored || error.retryable || error.details?.["reason"] === "reused") return;
  if ((await find(answering, answering.operation.id)) !== undefined) return;
  await keep(answering, { error });
}

function replay(stored: Answer): unknown {
  if ("error" in stored) throw ProtocolError.fromBody(stored.error);
  return stored.result;
}

/** RQ-1: an id too old or too far ahead could become something new after a clean-up. RQ-3: past its deadline. */
function requireFresh(operation: RequestOperation, now: number): void {
  const madeAt = uuidv7TimeMs(operation.id) ?? 0;
  if (madeAt < now - limits.requestIdAgeMsMax || madeAt > now + limits.requestIdAheadMsMax) {
    throw new ProtocolError(
      "expired",
      `request ${operation.id} was made ${now - madeAt} ms ago by the server's clock; make a new id`,
    );
  }
  if (operation.deadline !== undefined && operation.deadline < now) {
    throw new ProtocolError(
      "expired",
      `request ${operation.id} came ${now - operation.deadline} ms after its deadline`,
    );
  }
}

async function requireAfter(answering: Answering): Promise<void> {
  const { after } = answering.operation;
  if (after === undefined) return;
  const earlier = await find(answering, after);
  if (earlier === undefined) {
    throw new ProtocolError("conflict", `request ${after}, which must come first, has no answer yet`, {
      details: { reason: "after" },
    });
  }
  if ("error" in (JSON.parse(earlier.answer) as Answer)) {
    throw new ProtocolError("conflict", `request ${after}, which had to succeed first, failed`, {
      details: { reason: "after_failed" },
    });
  }
}

async function find({ db, operation }: Answering, id: string): Promise<Kept | undefined> {
  const { caller } = operation;
  const [kept] = await selectAnswer(db, { workspace: caller.workspace, principal: caller.id, id });
  return kept;
}

async function keep({ db, operation, now }: Answering, value: Answer): Promise<void> {
  const { caller, id, hash } = operation;
  const { workspace, id: principal } = caller;
  await insertAnswer(db, { workspace, principal, id, hash, answer: JSON.stringify(value), at: now });
}

type Key = { readonly workspace: string; readonly principal: string; readonly id: string };
type Kept = { readonly hash: string; readonly answer: string };

const selectAnswer = prepareQuery<Key, Kept>((db, { workspace, principal, id }) =>
  db
    .selectFrom("requests")
    .select(["hash", "answer"])
    .where("workspace", "=", workspace)
    .where("principal", "=", principal)
    .where("id", "=", id),
);

const insertAnswer = prepareQuery<Key & Kept & { readonly at: number }, unknown>(
  (db, { workspace, principal, id, hash, answer: text, at }) =>
    db.insertInto("requests").values({ workspace, principal, id, hash, answer: text, at }),
);
