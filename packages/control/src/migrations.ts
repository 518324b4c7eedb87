/** How a database gets the tables of `tables.ts`: forward only, the same on SQLite and PostgreSQL. */
import type { CreateTableBuilder, Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const migrations: Readonly<Record<string, Migration>> = {
  "control-001-agents-threads-commands": {
    async up(db) {
      await createAgents(db);
      await createThreads(db);
      await createCommands(db);
    },
  },
  "control-002-thread-snapshot": {
    async up(db) {
      await addColumns(db, "threads", { cols: 80, rows: 24 });
      await addColumns(db, "commands", { inferred: 0 });
      await addColumns(db, "messages", { ordinal: "", started_after: 0 });
      await db.schema.alterTable("threads").addColumn("note", "text").execute();
      await db.schema.alterTable("commands").addColumn("progress", "text").execute();
      await db.schema
        .createIndex("commands_thread")
        .on("commands")
        .columns(["workspace", "thread", "ordinal"])
        .execute();
      await db.schema
        .createIndex("messages_thread")
        .on("messages")
        .columns(["workspace", "thread", "ordinal"])
        .execute();
    },
  },
  "control-003-nodes": {
    async up(db) {
      await db.schema.alterTable("agents").addColumn("node", "text").execute();
      await db.schema
        .createTable("control_nodes")
        .addColumn("node", "text", (column) => column.primaryKey())
        .addColumn("beat", "bigint", (column) => column.notNull())
        .execute();
    },
  },
  "control-004-answers": {
    async up(db) {
      await db.schema.alterTable("commands").addColumn("usage", "text").execute();
      await db.schema.alterTable("commands").addColumn("retry_of", "text").execute();
    },
  },
  "control-005-assistants": {
    async up(db) {
      await required(db.schema.createTable("assistants"), {
        text: ["workspace", "id", "name", "endpoint", "model", "system_prompt"],
        integer: [],
        bigint: ["created_at", "changed_at"],
      })
        .addColumn("sealed_key", "text")
        .addPrimaryKeyConstraint("assistants_key", ["workspace", "id"])
        .addUniqueConstraint("assistants_name", ["workspace", "name"])
        .execute();
      await required(db.schema.createTable("assistant_hosts"), {
        text: ["workspace", "public_key"],
        integer: [],
        bigint: [],
      })
        .addPrimaryKeyConstraint("assistant_hosts_key", ["workspace"])
        .execute();
    },
  },
  "control-006-reads": {
    async up(db) {
      await required(db.schema.createTable("thread_reads"), {
        text: ["workspace", "user", "thread"],
        integer: [],
        bigint: ["read_at"],
      })
        .addPrimaryKeyConstraint("thread_reads_key", ["workspace", "user", "thread"])
        .execute();
    },
  },
  "control-007-attempts": {
    up: (db) => addColumns(db, "agent_processes", { instance: "", attempt: 0 }),
  },
  "control-008-archived-and-removed": {
    async up(db) {
      await db.schema.alterTable("threads").addColumn("archived_at", "bigint").execute();
      await required(db.schema.createTable("removed_agents"), {
        text: ["workspace", "id", "name", "kind", "host", "capabilities", "removed_by"],
        integer: ["generation"],
        bigint: ["created_at", "removed_at"],
      })
        .addColumn("key_id", "text")
        .addPrimaryKeyConstraint("removed_agents_key", ["workspace", "id"])
        .execute();
    },
  },
  "control-009-assistants-lead": {
    async up(db) {
      await required(db.schema.createTable("assistant_leads"), {
        text: ["workspace", "holder"],
        integer: [],
        bigint: ["beat"],
      })
        .addPrimaryKeyConstraint("assistant_leads_key", ["workspace"])
        .execute();
    },
  },
};

/** Adds columns that are never null, with what the rows that are there get. */
async function addColumns(
  db: Kysely<unknown>,
  table: string,
  columns: Readonly<Record<string, number | string>>,
): Promise<void> {
  for (const [name, initial] of Object.entries(columns)) {
    const type = typeof initial === "string" ? "text" : "bigint";
    await db.schema
      .alterTable(table)
      .addColumn(name, type, (column) => column.notNull().defaultTo(initial))
      .execute();
  }
}

async function createAgents(db: Kysely<unknown>): Promise<void> {
  const agents = required(db.schema.createTable("agents"), {
    text: [
      "workspace",
      "id",
      "name",
      "asked_name",
      "kind",
      "host",
      "capabilities",
      "created_process",
      "status",
      "announced",
    ],
    integer: ["generation", "revision", "returning"],
    bigint: ["status_at", "created_at"],
  });
  await agents
    .addColumn("key_id", "text")
    .addColumn("connection", "text")
    .addPrimaryKeyConstraint("agents_key", ["workspace", "id"])
    .addUniqueConstraint("agents_name", ["workspace", "name"])
    .execute();
  await db.schema.createIndex("agents_key_id").on("agents").columns(["workspace", "key_id"]).execute();
  await db.schema
    .createIndex("agents_created_process")
    .on("agents")
    .columns(["workspace", "created_process"])
    .execute();
  await required(db.schema.createTable("agent_processes"), {
    text: ["workspace", "agent", "process"],
    integer: ["generation"],
    bigint: ["first_seen_at"],
  })
    .addPrimaryKeyConstraint("agent_processes_key", ["workspace", "agent", "process"])
    .execute();
}

async function createThreads(db: Kysely<unknown>): Promise<void> {
  await required(db.schema.createTable("threads"), {
    text: ["workspace", "id", "agent", "kind", "title", "created_by", "terminal"],
    integer: [],
    bigint: ["created_at", "active_at"],
  })
    .addPrimaryKeyConstraint("threads_key", ["workspace", "id"])
    .execute();
  await db.schema.createIndex("threads_active").on("threads").columns(["workspace", "active_at", "id"]).execute();
  await db.schema.createIndex("threads_agent").on("threads").columns(["workspace", "agent", "active_at"]).execute();
  await required(db.schema.createTable("messages"), {
    text: ["workspace", "thread", "id", "command", "state"],
    integer: [],
    bigint: [],
  })
    .addPrimaryKeyConstraint("messages_key", ["workspace", "thread", "id"])
    .execute();
}

async function createCommands(db: Kysely<unknown>): Promise<void> {
  const commands = required(db.schema.createTable("commands"), {
    text: ["workspace", "id", "thread", "agent", "text", "state", "sent_by"],
    integer: ["priority", "ordinal"],
    bigint: ["queued_at", "expires_at"],
  });
  await commands
    .addColumn("outcome", "text")
    .addColumn("reason", "text")
    .addColumn("exit_code", "integer")
    .addColumn("dispatched_at", "bigint")
    .addColumn("started_at", "bigint")
    .addColumn("finished_at", "bigint")
    .addColumn("duration_ms", "bigint")
    .addPrimaryKeyConstraint("commands_key", ["workspace", "id"])
    .execute();
  await db.schema
    .createIndex("commands_queue")
    .on("commands")
    .columns(["workspace", "agent", "state", "priority", "ordinal"])
    .execute();
  await db.schema.createIndex("commands_expiry").on("commands").columns(["state", "expires_at"]).execute();
  await required(db.schema.createTable("return_checks"), {
    text: ["workspace", "agent", "command"],
    integer: [],
    bigint: ["due_at"],
  })
    .addPrimaryKeyConstraint("return_checks_key", ["workspace", "agent", "command"])
    .execute();
}

type Columns = CreateTableBuilder<string, string>;

/** Adds columns that are never null, by type. */
function required(
  table: Columns,
  columns: {
    readonly text: readonly string[];
    readonly integer: readonly string[];
    readonly bigint: readonly string[];
  },
): Columns {
  let built: Columns = table;
  for (const type of ["text", "integer", "bigint"] as const) {
    for (const name of columns[type]) built = built.addColumn(name, type, (column) => column.notNull());
  }
  return built;
}
