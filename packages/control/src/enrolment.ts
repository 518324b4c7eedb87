/**
 * Who an agent is, from its `hello`: identity, name, generation (OP-6, OP-7).
 *
 * Life cycle: an agent is made once, by a key marked `enrol` or in open (development) mode, and is the same
 * row ever after, whatever process speaks for it (F28). Invariants: an agent answers to one credential only;
 * a name belongs to one agent of the workspace (F29); a generation belongs to one process and only rises, so
 * an older process can be told from a newer one for ever. The connection of the newest accepted `hello` owns
 * the agent's status (X6), and newest is by the process's own count: one that lay at a node that was stopped
 * comes after those that its process has sent since (F51). What `kind`, `host` and `capabilities` say is shown, never believed.
 */
import { type HelloAgent, ProtocolError } from "@holdfast/protocol";
import type { AgentHello, AgentWelcome, Principal } from "@holdfast/server/plugin";
import { type AgentKind, agentKind } from "../contract/index.ts";
import { streams } from "../contract/names.ts";
import { announceAgents, findAgent, findRemoved, lockAgent, requireAgent } from "./agents.ts";
import { dispatchNext } from "./queue.ts";
import { judgeReturn } from "./returns.ts";
import type { ControlRead, ControlTransaction } from "./tables.ts";
import { shorten, toLine, toStorable } from "./text.ts";
import { closeTerminals } from "./threads.ts";

const nameLengthMax = 100;
/** Names that are tried in one query when one is taken. */
const namesTriedAtOnce = 50;

/** Registers or finds the agent, brings its row up to date, and judges its return. Throws `forbidden`, `fenced`, `bad_message`. */
export async function welcomeAgent(tx: ControlTransaction, greeting: AgentHello): Promise<AgentWelcome> {
  const { hello, connection } = greeting;
  const kind = readKind(hello.kind);
  const id = (await identify(tx, greeting)) ?? (await enrol(tx, greeting, kind));
  const before = await lockAgent(tx, id);
  const generation = await generationOf(tx, id, Number(before.generation), greeting);
  const isNewProcess = generation !== Number(before.generation);
  const asked = askedName(hello);
  // A name that was given away with a suffix stays with the agent, however often it asks for the bare one.
  const name = asked === before.asked_name || asked === before.name ? before.name : await freeName(tx, asked, id);
  await tx.db
    .updateTable("agents")
    .set({
      name,
      asked_name: asked === before.name ? before.asked_name : asked,
      kind,
      ...claimsOf(hello),
      generation,
      connection,
      node: greeting.node ?? null,
      status: "online",
      ...(before.status === "online" ? {} : { status_at: tx.now }),
    })
    .where("workspace", "=", tx.workspace)
    .where("id", "=", id)
    .execute();
  const inbox = streams.inbox(id);
  tx.open(inbox);
  if (isNewProcess) await closeTerminals(tx, id, "the agent was started anew");
  // OP-7: this node fences what it holds itself; the process before may be held by another.
  if (isNewProcess && generation > 1)
    tx.tellNodes({ kind: "agentFenced", workspace: tx.workspace, agent: id, generation });
  await judgeReturn(tx, id, hello.open, isNewProcess && kind === "assistant" ? "nothing" : "perhaps");
  await dispatchNext(tx, await requireAgent(tx, id));
  await announceAgents(tx, [id]);
  return { identity: { id, name, generation }, inbox };
}

/** OP-7: a process that another has taken over from acknowledges nothing: what it was handed since is the other's (OP-8). */
export async function isCurrentProcess(
  tx: ControlRead,
  { agent, generation }: { readonly agent: string; readonly generation: number },
): Promise<boolean> {
  const row = await tx.db
    .selectFrom("agents")
    .select("generation")
    .where("workspace", "=", tx.workspace)
    .where("id", "=", agent)
    .executeTakeFirst();
  return Number(row?.generation) === generation;
}

/** The agent that this credential may speak as; undefined where it has none yet. */
async function identify(tx: ControlTransaction, { caller, hello, open }: AgentHello): Promise<string | undefined> {
  if (hello.id !== undefined && !(await wasRemoved(tx, hello.id, { caller, open }))) {
    const named = await findAgent(tx, hello.id);
    if (named !== undefined && mayBe(named.key_id, caller, open)) return named.id;
    // The same answer whether it is unknown or another's: an id is no oracle.
    throw new ProtocolError(
      "forbidden",
      `agent "${hello.id}" is not bound to this credential; use the key that made it, or leave out the id to enrol as a new agent`,
      { about: { type: "agent", id: hello.id } },
    );
  }
  const owned = tx.db.selectFrom("agents").select("id").where("workspace", "=", tx.workspace);
  if (caller.key !== undefined) return (await owned.where("key_id", "=", caller.key.id).executeTakeFirst())?.id;
  if (!open) return undefined;
  const made = owned.where("created_process", "=", hello.process).where("key_id", "is", null);
  return (await made.executeTakeFirst())?.id;
}

/** Of this credential's own agent only. To name what was removed is to name nobody: what its key may do decides. */
async function wasRemoved(
  tx: ControlTransaction,
  id: string,
  { caller, open }: Pick<AgentHello, "caller" | "open">,
): Promise<boolean> {
  const removed = await findRemoved(tx, id);
  return removed !== undefined && mayBe(removed.key_id, caller, open);
}

function mayBe(keyId: string | null, caller: Principal, open: boolean): boolean {
  return keyId === null ? open : keyId === caller.key?.id;
}

async function enrol(tx: ControlTransaction, { caller, hello, open }: AgentHello, kind: AgentKind): Promise<string> {
  if (!open && caller.key?.enrol !== true) {
    throw new ProtocolError(
      "forbidden",
      `this credential may not create agent "${askedName(hello)}"; use a key marked for enrolment`,
    );
  }
  const id = tx.newId();
  const asked = askedName(hello);
  await tx.db
    .insertInto("agents")
    .values({
      workspace: tx.workspace,
      id,
      name: await freeName(tx, asked, id),
      asked_name: asked,
      kind,
      ...claimsOf(hello),
      key_id: caller.key?.id ?? null,
      created_process: hello.process,
      generation: 0,
      status: "offline",
      status_at: tx.now,
      connection: null,
      node: null,
      revision: 0,
      returning: 0,
      created_at: tx.now,
      announced: "",
    })
    .execute();
  return id;
}

/**
 * OP-7: an unknown process is the next generation; a known one keeps its own, and is fenced if that is over. An attempt
 * that the process itself has given up for a newer one is refused (OP-2).
 */
async function generationOf(
  tx: ControlTransaction,
  agent: string,
  current: number,
  { hello: { process }, instance, attempt }: AgentHello,
): Promise<number> {
  const known = await tx.db
    .selectFrom("agent_processes")
    .select(["generation", "instance", "attempt"])
    .where("workspace", "=", tx.workspace)
    .where("agent", "=", agent)
    .where("process", "=", process)
    .executeTakeFirst();
  if (known === undefined) {
    const generation = current + 1;
    await tx.db
      .insertInto("agent_processes")
      .values({ workspace: tx.workspace, agent, process, generation, first_seen_at: tx.now, instance, attempt })
      .execute();
    return generation;
  }
  const generation = Number(known.generation);
  if (generation !== current) throw fenced(agent, process, generation, current);
  if (instance === known.instance && attempt < Number(known.attempt)) throw late(agent, attempt, Number(known.attempt));
  await tx.db
    .updateTable("agent_processes")
    .set({ instance, attempt })
    .where("workspace", "=", tx.workspace)
    .where("agent", "=", agent)
    .where("process", "=", process)
    .execute();
  return generation;
}

function fenced(agent: string, process: string, generation: number, current: number): ProtocolError {
  return new ProtocolError(
    "fenced",
    `process ${process} is generation ${generation} of agent "${agent}", and ${current} has taken over; stop this one`,
    {
      about: { type: "agent", id: agent },
      details: { generation, current },
    },
  );
}

/** Nobody should hear of it: its process has left that connection. Should one, the next attempt is newer. */
function late(agent: string, attempt: number, newest: number): ProtocolError {
  return new ProtocolError(
    "unavailable",
    `attempt ${attempt} of agent "${agent}" came after its ${newest}; try again`,
    {
      about: { type: "agent", id: agent },
      details: { attempt, newest },
    },
  );
}

/** `asked`, else with the lowest free suffix: `-2`, `-3` … */
async function freeName(tx: ControlTransaction, asked: string, id: string): Promise<string> {
  for (let first = 1; ; first += namesTriedAtOnce) {
    const candidates = Array.from({ length: namesTriedAtOnce }, (_, index) => suffixed(asked, first + index));
    const taken = await tx.db
      .selectFrom("agents")
      .select("name")
      .where("workspace", "=", tx.workspace)
      .where("id", "!=", id)
      .where("name", "in", candidates)
      .execute();
    const names = new Set(taken.map((row) => row.name));
    const free = candidates.find((candidate) => !names.has(candidate));
    if (free !== undefined) return free;
  }
}

function suffixed(name: string, count: number): string {
  if (count === 1) return name;
  const suffix = `-${count}`;
  return `${name.slice(0, nameLengthMax - suffix.length).toWellFormed()}${suffix}`;
}

function askedName(hello: HelloAgent): string {
  return shorten(toLine(hello.name), nameLengthMax) || "agent";
}

function claimsOf(hello: HelloAgent): { host: string; capabilities: string } {
  return { host: toLine(hello.host), capabilities: JSON.stringify(hello.capabilities.map(toStorable)) };
}

function readKind(kind: string): AgentKind {
  const parsed = agentKind.safeParse(kind);
  if (parsed.success) return parsed.data;
  throw new ProtocolError("bad_message", `hello.agent.kind "${kind}" is none of ${agentKind.options.join(", ")}`, {
    details: { field: "agent.kind" },
  });
}
