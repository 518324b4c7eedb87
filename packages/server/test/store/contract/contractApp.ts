/** The app that the store's contract is tried with: small, on every database, with a way to fail in each manner. */
import { type ErrorBody, ProtocolError } from "@holdfast/protocol";
import type { Kysely } from "kysely";
import { z } from "zod";
import type { Plugin, ReadTransaction, Transaction } from "../../../src/plugin.ts";

interface Tables {
  contract_items: { workspace: string; id: string; value: string };
  contract_processes: { workspace: string; agent: string; process: string; generation: number };
  contract_claims: { workspace: string; command: string; by: string };
  /** Never made: what names it fails in the database itself. */
  contract_missing: { id: string };
}

const db = (tx: ReadTransaction): Kysely<Tables> => tx.db as Kysely<Tables>;

/** `ending`: what the handler does after its effect. */
const put = z.object({
  id: z.string(),
  value: z.string(),
  ending: z.enum(["refuse", "break", "sql", "swallow"]).optional(),
});
type Put = z.output<typeof put>;

export const plugin: Plugin = {
  name: "contract",
  migrations: {
    "contract-001": {
      up: async (kysely) => {
        await kysely.schema
          .createTable("contract_items")
          .addColumn("workspace", "text", (column) => column.notNull())
          .addColumn("id", "text", (column) => column.notNull())
          .addColumn("value", "text", (column) => column.notNull())
          .addPrimaryKeyConstraint("contract_items_key", ["workspace", "id"])
          .execute();
        await kysely.schema
          .createTable("contract_processes")
          .addColumn("workspace", "text", (column) => column.notNull())
          .addColumn("agent", "text", (column) => column.notNull())
          .addColumn("process", "text", (column) => column.notNull())
          .addColumn("generation", "integer", (column) => column.notNull())
          .addPrimaryKeyConstraint("contract_processes_key", ["workspace", "agent", "process"])
          .execute();
        await kysely.schema
          .createTable("contract_claims")
          .addColumn("workspace", "text", (column) => column.notNull())
          .addColumn("command", "text", (column) => column.notNull())
          .addColumn("by", "text", (column) => column.notNull())
          .addPrimaryKeyConstraint("contract_claims_key", ["workspace", "command"])
          .execute();
      },
    },
  },
  methods: {
    "item.put": { params: put, role: "operator", kind: "effect", handle: putItem },
    "item.secret": {
      params: z.object({}),
      role: "operator",
      kind: "effect",
      secret: ["secret"],
      handle: async (tx) => ({ id: tx.newId(), secret: "told once" }),
    },
    "item.list": {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async (tx) => ({ items: await itemsOf(tx) }),
    },
    "item.wrongRead": {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async (tx) => db(tx).selectFrom("contract_missing").selectAll().execute(),
    },
    "item.writingRead": {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async (tx: Transaction) => {
        tx.append("items", { event: "sneaked", data: null });
        return null;
      },
    },
  },
  streams: [
    {
      name: "items",
      always: true,
      inbox: false,
      mayRead: () => true,
      snapshot: async (tx) => ({ items: await itemsOf(tx) }),
    },
    {
      name: "log/",
      always: false,
      inbox: false,
      mayRead: () => true,
      publish: async (tx, { stream, caller, generation, events }) => {
        if (generation !== undefined) await requireCurrent(tx, caller.id, generation);
        const verdicts: (ErrorBody | null)[] = [];
        for (const event of events) {
          const refusal = await judged(tx, event, caller.id);
          if (refusal === null) tx.append(stream, event);
          verdicts.push(refusal?.toBody() ?? null);
        }
        return verdicts;
      },
    },
    { name: "work/", always: false, inbox: false, mayRead: () => true, lifetime: "work" },
    { name: "inbox/", always: false, inbox: true, mayRead: () => true },
  ],
  agents: {
    hello: async (tx, { hello }) => {
      const { name, process } = hello;
      tx.open(`inbox/${name}`);
      const known = await processesOf(tx, name);
      const mine = known.find((one) => one.process === process);
      const generation = mine?.generation ?? Math.max(0, ...known.map((one) => one.generation)) + 1;
      if (mine === undefined)
        await db(tx)
          .insertInto("contract_processes")
          .values({ workspace: tx.workspace, agent: name, process, generation })
          .execute();
      return { identity: { id: name, name, generation }, inbox: `inbox/${name}` };
    },
  },
  tasks: {
    "contract.tell": async (tx, input: { to: string; texts: readonly string[] }) => {
      for (const text of input.texts) tx.append(`inbox/${input.to}`, { event: "told", data: { text } });
      return { told: input.texts.length };
    },
    "contract.openThenBreak": async (tx, input: { to: string }) => {
      tx.open(`inbox/${input.to}`);
      throw new TypeError("a task that breaks, as asked");
    },
    "contract.break": async (tx) => {
      tx.append("items", { event: "never", data: null });
      throw new TypeError("a task that breaks, as asked");
    },
  },
};

async function putItem(tx: Transaction, params: Put): Promise<{ id: string; value: string }> {
  const { id, value } = params;
  await db(tx)
    .insertInto("contract_items")
    .values({ workspace: tx.workspace, id, value })
    .onConflict((conflict) => conflict.columns(["workspace", "id"]).doUpdateSet({ value }))
    .execute();
  tx.append("items", { event: "item.put", data: { id, value } });
  if (params.ending === "refuse") throw new ProtocolError("conflict", "refused, as asked");
  if (params.ending === "break") throw new TypeError("broken, as asked");
  if (params.ending === "sql") await db(tx).selectFrom("contract_missing").selectAll().execute();
  if (params.ending === "swallow")
    await db(tx)
      .selectFrom("contract_missing")
      .selectAll()
      .execute()
      .catch(() => []);
  return { id, value };
}

async function itemsOf(tx: ReadTransaction): Promise<{ id: string; value: string }[]> {
  return db(tx)
    .selectFrom("contract_items")
    .select(["id", "value"])
    .where("workspace", "=", tx.workspace)
    .orderBy("id")
    .execute();
}

async function processesOf(tx: ReadTransaction, agent: string): Promise<{ process: string; generation: number }[]> {
  return db(tx)
    .selectFrom("contract_processes")
    .select(["process", "generation"])
    .where("workspace", "=", tx.workspace)
    .where("agent", "=", agent)
    .execute();
}

/** OP-7: compared in the publish's own transaction. */
async function requireCurrent(tx: ReadTransaction, agent: string, generation: number): Promise<void> {
  const current = Math.max(0, ...(await processesOf(tx, agent)).map((one) => one.generation));
  if (generation !== current)
    throw new ProtocolError("fenced", `generation ${generation} of ${agent}, the current is ${current}`);
}

/** PB-5: a claim is accepted once for each command. */
async function judged(
  tx: Transaction,
  { event, data }: { readonly event: string; readonly data: unknown },
  by: string,
): Promise<ProtocolError | null> {
  if (event === "poison") return new ProtocolError("invalid_params", "poison, as asked");
  if (event !== "claim") return null;
  const command = String((data as { command?: unknown } | null)?.command);
  const taken = await db(tx)
    .selectFrom("contract_claims")
    .select("by")
    .where("workspace", "=", tx.workspace)
    .where("command", "=", command)
    .executeTakeFirst();
  if (taken !== undefined) return new ProtocolError("conflict", `${command} was claimed by ${taken.by}`);
  await db(tx).insertInto("contract_claims").values({ workspace: tx.workspace, command, by }).execute();
  return null;
}
