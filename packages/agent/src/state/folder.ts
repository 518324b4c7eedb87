/**
 * The agent's own folder: what makes a restart the same agent.
 *
 * `identity.json` holds the agent's id, `inbox.json` the cursor of what was taken from the inbox (OP-8), each
 * written durably before anything is done because of it; `lock.db` keeps a second process out.
 * Invariant: the cursor belongs to the identity beside it; for another one it counts as absent.
 */
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Cursor } from "@holdfast/protocol";
import { readDurable, writeDurably } from "./durableFile.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import { AgentStartError } from "./startError.ts";

export interface StateFolder {
  readonly path: string;
  /** The agent's id, once the server gave one. */
  readonly agent: string | undefined;
  /** The last inbox event taken, durable. */
  readonly inbox: Cursor | undefined;
  /** Stores the id; the cursor of another agent is forgotten. */
  storeAgent(agent: string): Promise<void>;
  /** Stores the cursor of the current agent. */
  storeInbox(cursor: Cursor): Promise<void>;
  /** False once the folder was removed or replaced under us: then nothing may be stored, so nothing may be done. */
  isOurs(): boolean;
  release(): void;
}

/** Opens `path`, made with mode 0700 where it is missing, and locks it. Throws an {@link AgentStartError}. */
export async function openStateFolder(path: string): Promise<StateFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  } catch (error) {
    throw new AgentStartError("state_unusable", `The state folder ${path} cannot be made: ${String(error)}`, error);
  }
  const lock = lockFolder(path);
  try {
    const agent = readAgent(await read(path, identityFile));
    const inbox = readInbox(await read(path, inboxFile), agent);
    return new LockedFolder(path, lock, agent, inbox);
  } catch (error) {
    lock.release();
    throw error;
  }
}

const identityFile = "identity.json";
const inboxFile = "inbox.json";

class LockedFolder implements StateFolder {
  readonly path: string;
  private readonly lock: FolderLock;
  agent: string | undefined;
  inbox: Cursor | undefined;

  constructor(path: string, lock: FolderLock, agent: string | undefined, inbox: Cursor | undefined) {
    this.path = path;
    this.lock = lock;
    this.agent = agent;
    this.inbox = inbox;
  }

  async storeAgent(agent: string): Promise<void> {
    await writeDurably(join(this.path, identityFile), { agent });
    if (agent !== this.agent) this.inbox = undefined;
    this.agent = agent;
  }

  async storeInbox(cursor: Cursor): Promise<void> {
    await writeDurably(join(this.path, inboxFile), { agent: this.agent, epoch: cursor.epoch, offset: cursor.offset });
    this.inbox = { epoch: cursor.epoch, offset: cursor.offset };
  }

  isOurs(): boolean {
    return this.lock.isHeld();
  }

  release(): void {
    this.lock.release();
  }
}

async function read(path: string, file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const found = await readDurable(join(path, file)).catch((error: unknown) => {
    throw unusable(join(path, file), error);
  });
  if (found === undefined) return undefined;
  if (typeof found !== "object" || found === null) throw unusable(join(path, file));
  return found as Readonly<Record<string, unknown>>;
}

function readAgent(identity: Readonly<Record<string, unknown>> | undefined): string | undefined {
  if (identity === undefined) return undefined;
  const agent = identity["agent"];
  if (typeof agent !== "string" || agent === "") throw unusable(identityFile);
  return agent;
}

/** A cursor that cannot be read is one that is missing: the server serves from what was acknowledged (OP-8). */
function readInbox(
  inbox: Readonly<Record<string, unknown>> | undefined,
  agent: string | undefined,
): Cursor | undefined {
  const { agent: owner, epoch, offset } = inbox ?? {};
  if (owner !== agent || typeof epoch !== "string" || !Number.isInteger(offset)) return undefined;
  return { epoch, offset: offset as number };
}

function unusable(file: string, cause?: unknown): AgentStartError {
  return new AgentStartError(
    "state_unusable",
    `${file} is not what an agent wrote: remove it to enrol as a new agent.`,
    cause,
  );
}
