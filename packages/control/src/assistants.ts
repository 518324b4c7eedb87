/**
 * Chat assistants as admins configure them: rows, and a stream that tells admins and the server's own process of changes.
 *
 * Life cycle: created → changed → removed. The first one takes the place of the script that there is without any, and so
 * its agent and threads ({@link firstId}). Invariants: a key is encrypted in the transaction that stores it, for the
 * assistants' process, and bound to the assistant and its endpoint's origin; it is in no event, and in no answer but the
 * encrypted form that `assistant.hosted` gives. What runs is the business of that process; nothing here waits for it.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Assistant, AssistantsEventData, MethodParams, MethodResult } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { isPublicKey, keyContext, sealKey } from "../contract/sealedKey.ts";
import type { AssistantsTable, ControlRead, ControlTransaction } from "./tables.ts";
import { requireStorable, toLine } from "./text.ts";

export const assistantsMax = 50;
/** Of the script, and of the first assistant that is configured in its place. */
export const firstId = "assistant";

/** `assistant.list` */
export async function listAssistants(tx: ControlRead): Promise<MethodResult<"assistant.list">> {
  return { items: await readAssistants(tx), canKeepKeys: (await hostKey(tx)) !== undefined };
}

/** By name: the snapshot of `assistants` (ST-9). */
export async function readAssistants(tx: ControlRead): Promise<Assistant[]> {
  return (await rowsOf(tx)).map(wholeAssistant);
}

/** `assistant.hosted` */
export async function listHosted(tx: ControlRead): Promise<MethodResult<"assistant.hosted">> {
  const rows = await rowsOf(tx);
  return { items: rows.map((row) => ({ ...wholeAssistant(row), sealedKey: row.sealed_key })) };
}

/** `assistant.create` */
export async function createAssistant(
  tx: ControlTransaction,
  { key, ...params }: MethodParams<"assistant.create">,
): Promise<MethodResult<"assistant.create">> {
  const rows = await rowsOf(tx);
  if (rows.length >= assistantsMax) {
    throw new ProtocolError("conflict", `there are ${rows.length} assistants, no more than ${assistantsMax} may be`, {
      details: { limit: assistantsMax },
    });
  }
  const id = rows.some((row) => row.id === firstId) ? tx.newId() : firstId;
  const name = requireFreeName(rows, params.name, id);
  const { endpoint, model } = params;
  const row: AssistantsTable = {
    workspace: tx.workspace,
    id,
    name,
    endpoint: requireEndpoint(endpoint),
    model: requireStorable(model, "model"),
    system_prompt: requireStorable(params.systemPrompt, "systemPrompt"),
    sealed_key: key === undefined ? null : await seal(tx, key, id, endpoint),
    created_at: tx.now,
    changed_at: tx.now,
  };
  await tx.db.insertInto("assistants").values(row).execute();
  return tell(tx, row);
}

/** `assistant.change` */
export async function changeAssistant(
  tx: ControlTransaction,
  params: MethodParams<"assistant.change">,
): Promise<MethodResult<"assistant.change">> {
  const rows = await rowsOf(tx);
  const before = rows.find((row) => row.id === params.assistant);
  if (before === undefined) throw unknownAssistant(params.assistant);
  const { id } = before;
  const endpoint = params.endpoint === undefined ? before.endpoint : requireEndpoint(params.endpoint);
  // A key is bound to where it may be sent, and nobody here can open it to bind it anew.
  const kept = new URL(endpoint).origin === new URL(before.endpoint).origin ? before.sealed_key : null;
  const { key } = params;
  const sealed = key === undefined ? kept : key === null ? null : await seal(tx, key, id, endpoint);
  const changed = {
    name: params.name === undefined ? before.name : requireFreeName(rows, params.name, id),
    endpoint,
    model: params.model === undefined ? before.model : requireStorable(params.model, "model"),
    system_prompt:
      params.systemPrompt === undefined ? before.system_prompt : requireStorable(params.systemPrompt, "systemPrompt"),
    sealed_key: sealed,
    changed_at: tx.now,
  };
  const update = tx.db.updateTable("assistants").set(changed).where("workspace", "=", tx.workspace);
  await update.where("id", "=", id).execute();
  return tell(tx, { ...before, ...changed });
}

/** `assistant.remove` */
export async function removeAssistant(
  tx: ControlTransaction,
  { assistant }: MethodParams<"assistant.remove">,
): Promise<MethodResult<"assistant.remove">> {
  const removal = tx.db.deleteFrom("assistants").where("workspace", "=", tx.workspace).where("id", "=", assistant);
  const { numDeletedRows } = await removal.executeTakeFirstOrThrow();
  if (Number(numDeletedRows) === 0) throw unknownAssistant(assistant);
  const data = { assistant } satisfies AssistantsEventData["assistant.removed"];
  tx.append(streams.assistants, { event: "assistant.removed", data });
  return {};
}

/** `assistant.host` */
export async function hostAssistants(
  tx: ControlTransaction,
  { publicKey }: MethodParams<"assistant.host">,
): Promise<MethodResult<"assistant.host">> {
  if (!isPublicKey(publicKey)) {
    throw new ProtocolError("invalid_params", `publicKey "${publicKey}" is not 32 bytes in base64url`, {
      details: { field: "publicKey" },
    });
  }
  await tx.db
    .insertInto("assistant_hosts")
    .values({ workspace: tx.workspace, public_key: publicKey })
    .onConflict((conflict) => conflict.column("workspace").doUpdateSet({ public_key: publicKey }))
    .execute();
  return {};
}

/** Whether keys are to be encrypted for somebody else from now on: the same process again changes nothing. */
export async function anotherHost(
  tx: ControlRead,
  { publicKey }: MethodParams<"assistant.host">,
): Promise<Readonly<Record<string, never>> | undefined> {
  return (await hostKey(tx)) === publicKey ? undefined : {};
}

async function rowsOf(tx: ControlRead): Promise<AssistantsTable[]> {
  const all = tx.db.selectFrom("assistants").selectAll().where("workspace", "=", tx.workspace);
  return all.orderBy("name").execute();
}

async function hostKey(tx: ControlRead): Promise<string | undefined> {
  const hosts = tx.db.selectFrom("assistant_hosts").select("public_key").where("workspace", "=", tx.workspace);
  return (await hosts.executeTakeFirst())?.public_key;
}

async function seal(tx: ControlTransaction, key: string, id: string, endpoint: string): Promise<string> {
  const publicKey = await hostKey(tx);
  if (publicKey !== undefined) return sealKey(key, publicKey, keyContext(id, endpoint), tx.randomBytes);
  throw new ProtocolError(
    "conflict",
    "no assistants' process has run yet, so there is nobody to encrypt the key for; start the server with agents.assistants",
    { details: { field: "key" } },
  );
}

function tell(tx: ControlTransaction, row: AssistantsTable): { assistant: Assistant } {
  const data = { assistant: wholeAssistant(row) } satisfies AssistantsEventData["assistant.changed"];
  tx.append(streams.assistants, { event: "assistant.changed", data });
  return data;
}

function wholeAssistant(row: AssistantsTable): Assistant {
  return {
    id: row.id,
    name: row.name,
    endpoint: row.endpoint,
    model: row.model,
    systemPrompt: row.system_prompt,
    hasKey: row.sealed_key !== null,
    createdAt: Number(row.created_at),
    changedAt: Number(row.changed_at),
  };
}

function requireFreeName(rows: readonly AssistantsTable[], wanted: string, id: string): string {
  const name = toLine(wanted);
  if (name !== "" && !rows.some((row) => row.name === name && row.id !== id)) return name;
  throw new ProtocolError("conflict", `the name "${name}" is ${name === "" ? "empty" : "taken"}; choose another`, {
    details: { field: "name" },
  });
}

/** A password in an address would be shown to all admins, and be no secret. */
function requireEndpoint(endpoint: string): string {
  const { username, password, search, hash } = new URL(endpoint);
  if (username === "" && password === "" && search === "" && hash === "") return endpoint.replace(/\/+$/, "");
  throw new ProtocolError("invalid_params", "the endpoint must be a plain address; give its key as `key`", {
    details: { field: "endpoint" },
  });
}

function unknownAssistant(id: string): ProtocolError {
  return new ProtocolError("not_found", `there is no assistant "${id}"`, { about: { type: "assistant", id } });
}
