/**
 * What every publish asks the store, however often one comes: queries that are built once.
 *
 * Building one takes ten times as long as SQLite takes to answer it, and agents publish many times a second. A
 * publish that names several commands or messages is rare, and its query is built as any other.
 */
import { prepareQuery } from "@holdfast/server/queries";
import type { ThreadKind } from "../contract/index.ts";
import { type CommandRow, commandColumns } from "./queue.ts";
import type { ControlRead, ControlTables, MessagesTable, ThreadsTable } from "./tables.ts";

/** The thread as its agent publishes to it: nothing where it is another agent's. */
export const selectPublisher = prepareQuery<
  { readonly workspace: string; readonly thread: string; readonly agent: string },
  {
    readonly agent: string;
    readonly kind: ThreadKind;
    readonly terminal: ThreadsTable["terminal"];
    readonly cols: number;
    readonly rows: number;
    /** OP-7: the newest generation that any process was given is the current one. */
    readonly generation: number | null;
    /** Commands of a process that has gone, and are asked for. */
    readonly checks: number | string | bigint | null;
  },
  ControlTables
>((db, { workspace, thread, agent }) =>
  db
    .selectFrom("threads")
    .select(["threads.agent", "threads.kind", "threads.terminal", "threads.cols", "threads.rows"])
    .select((select) =>
      select
        .selectFrom("agent_processes")
        .select((of) => of.fn.max("agent_processes.generation").as("generation"))
        .whereRef("agent_processes.workspace", "=", "threads.workspace")
        .whereRef("agent_processes.agent", "=", "threads.agent")
        .as("generation"),
    )
    .select((select) =>
      select
        .selectFrom("return_checks")
        .select((of) => of.fn.countAll().as("checks"))
        .whereRef("return_checks.workspace", "=", "threads.workspace")
        .whereRef("return_checks.agent", "=", "threads.agent")
        .as("checks"),
    )
    .where("threads.workspace", "=", workspace)
    .where("threads.id", "=", thread)
    .where("threads.agent", "=", agent),
);

/** The commands of a thread that are named, as far as there are some. */
export async function commandsNamed(
  tx: ControlRead,
  thread: string,
  ids: readonly string[],
): Promise<readonly CommandRow[]> {
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return await selectCommand(tx.db, { workspace: tx.workspace, thread, id });
  const rows = tx.db.selectFrom("commands").select(commandColumns).where("workspace", "=", tx.workspace);
  return await rows.where("thread", "=", thread).where("id", "in", ids).execute();
}

/** The messages of a thread that are named, as far as there are some. */
export async function messagesOf(
  tx: ControlRead,
  thread: string,
  ids: readonly string[],
): Promise<readonly MessageRow[]> {
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return await selectMessage(tx.db, { workspace: tx.workspace, thread, id });
  const rows = tx.db.selectFrom("messages").select(messageColumns).where("workspace", "=", tx.workspace);
  return await rows.where("thread", "=", thread).where("id", "in", ids).execute();
}

type Named = { readonly workspace: string; readonly thread: string; readonly id: string };
const messageColumns = ["id", "command", "state"] as const;
type MessageRow = Pick<MessagesTable, (typeof messageColumns)[number]>;

const selectCommand = prepareQuery<Named, CommandRow, ControlTables>((db, { workspace, thread, id }) =>
  db
    .selectFrom("commands")
    .select(commandColumns)
    .where("workspace", "=", workspace)
    .where("thread", "=", thread)
    .where("id", "=", id),
);

const selectMessage = prepareQuery<Named, MessageRow, ControlTables>((db, { workspace, thread, id }) =>
  db
    .selectFrom("messages")
    .select(messageColumns)
    .where("workspace", "=", workspace)
    .where("thread", "=", thread)
    .where("id", "=", id),
);
