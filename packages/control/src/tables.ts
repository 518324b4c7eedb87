/**
 * The tables of the control domain, and the transactions over them.
 *
 * One schema for SQLite and PostgreSQL: text, integers, JSON as text, times in ms since 1970. Invariants:
 * every row belongs to a workspace and every query names it; rows are the state, events tell of it in the
 * same transaction. Locks are taken in one order everywhere: the agent's row, then its commands (see
 * `lockAgent`). Nothing here is kept in memory between transactions.
 */
import type { ReadTransaction, Transaction } from "@holdfast/server/plugin";
import type { AgentKind, AgentStatus, CommandOutcome, CommandState, ThreadKind } from "../contract/index.ts";

export interface AgentsTable {
  workspace: string;
  id: string;
  /** Unique in the workspace. */
  name: string;
  /** What the agent calls itself: `name` without the suffix that made it unique. */
  asked_name: string;
  kind: AgentKind;
  host: string;
  /** JSON of `string[]`. */
  capabilities: string;
  /** The only credential that may speak as this agent; null for one made without any (development mode). */
  key_id: string | null;
  /** The process that created it (OP-6). */
  created_process: string;
  generation: number;
  status: AgentStatus;
  status_at: number;
  /** The connection that owns `status`: only who names it may change it (X6). */
  connection: string | null;
  /** Where several nodes share the store: the one that holds `connection`. */
  node: string | null;
  /** Rises under the row's lock; gives commands their order. */
  revision: number;
  /** 1 while `return_checks` has rows of it. */
  returning: number;
  created_at: number;
  /** JSON of the agent as the fleet last heard of it; "" before the first event (F19, F56). */
  announced: string;
}

/** Agents that were removed, as they last were: who they were is still asked for, by their threads. */
export interface RemovedAgentsTable {
  workspace: string;
  id: string;
  name: string;
  kind: AgentKind;
  host: string;
  /** JSON of `string[]`. */
  capabilities: string;
  key_id: string | null;
  generation: number;
  created_at: number;
  removed_at: number;
  removed_by: string;
}

/** OP-7: which process has which generation. */
export interface AgentProcessesTable {
  workspace: string;
  agent: string;
  process: string;
  generation: number;
  first_seen_at: number;
  /** OP-2: the newest attempt that was let in, and of which instance. */
  instance: string;
  attempt: number;
}

export interface ThreadsTable {
  workspace: string;
  id: string;
  agent: string;
  kind: ThreadKind;
  title: string;
  created_by: string;
  created_at: number;
  active_at: number;
  /** Of kind `terminal`: `closed` once its program has ended. Threads of kind `work` stay `open`. */
  terminal: TerminalState;
  /** The size of its terminal as its agent last told it. */
  cols: number;
  rows: number;
  /** The newest word about the thread itself. */
  note: string | null;
  /** Since when it is out of the list. */
  archived_at: number | null;
}
export type TerminalState = "open" | "closed";

export interface CommandsTable {
  workspace: string;
  id: string;
  thread: string;
  agent: string;
  text: string;
  state: CommandState;
  /** 0 high, 1 normal, 2 low: sorts as the queue does. */
  priority: number;
  /** The order of sending, per agent. */
  ordinal: number;
  outcome: CommandOutcome | null;
  reason: string | null;
  exit_code: number | null;
  sent_by: string;
  queued_at: number;
  dispatched_at: number | null;
  started_at: number | null;
  finished_at: number | null;
  duration_ms: number | null;
  expires_at: number;
  /** What its agent last said of how far it is. */
  progress: string | null;
  /** 1 where the end was inferred. */
  inferred: number;
  /** JSON of {@link Usage}. */
  usage: string | null;
  /** The command that this one repeats. */
  retry_of: string | null;
}

/** Messages that were started: every start has one end. */
export interface MessagesTable {
  workspace: string;
  thread: string;
  id: string;
  command: string;
  state: MessageState;
  /** Sorts messages as they were started. */
  ordinal: string;
  /** An offset of the thread that lies before all of its events. */
  started_after: number;
}
export type MessageState = "started" | "finished";

/** Commands that their agent came back without: judged by its first publish, or when due. */
export interface ReturnChecksTable {
  workspace: string;
  agent: string;
  command: string;
  due_at: number;
}

/** Assistants as admins configured them. */
export interface AssistantsTable {
  workspace: string;
  id: string;
  name: string;
  endpoint: string;
  model: string;
  system_prompt: string;
  /** Encrypted for the assistants' process (`contract/sealedKey.ts`); null: none. */
  sealed_key: string | null;
  created_at: number;
  changed_at: number;
}

/** Up to when somebody has seen a thread, by the server's clock. */
export interface ThreadReadsTable {
  workspace: string;
  user: string;
  thread: string;
  read_at: number;
}

/** For whom models' keys are encrypted: the assistants' process of a workspace. */
export interface AssistantHostsTable {
  workspace: string;
  public_key: string;
}

/** Which server runs a workspace's assistants; `beat` rises while it does. */
export interface AssistantLeadsTable {
  workspace: string;
  holder: string;
  beat: number;
}

export interface ControlTables {
  assistants: AssistantsTable;
  assistant_hosts: AssistantHostsTable;
  assistant_leads: AssistantLeadsTable;
  thread_reads: ThreadReadsTable;
  agents: AgentsTable;
  removed_agents: RemovedAgentsTable;
  agent_processes: AgentProcessesTable;
  threads: ThreadsTable;
  commands: CommandsTable;
  messages: MessagesTable;
  return_checks: ReturnChecksTable;
  control_nodes: NodesTable;
}

/** A node that holds connections; rises while it lives (`leases.ts`). */
export interface NodesTable {
  node: string;
  beat: number;
}

export type ControlRead = ReadTransaction<ControlTables>;
export type ControlTransaction = Transaction<ControlTables>;
