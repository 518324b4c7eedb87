/**
 * A browser with several tabs that share one socket: the production's leading tab, with locks and channels of ours.
 *
 * A tab is a process. Its locks are free when it is gone, however it went, and kept while it is only stopped; what is
 * posted on a channel arrives a little later, in order, and not at all at a tab that is gone. The tab that leads has
 * the host, and the host the socket. Invariant: it decides nothing; who leads is the locks' affair.
 */

import { memoryStorage, type SessionStorage } from "@holdfast/client/storage";
import type { ProtocolError } from "@holdfast/protocol";
import { openDurableSession } from "../../../packages/client/src/durable/durableSession.ts";
import { nothingKept } from "../../../packages/client/src/storage/memory.ts";
import { makeHost } from "../../../packages/client/src/tabs/host.ts";
import { type Announcement, leadingLink } from "../../../packages/client/src/tabs/leading.ts";
import { memoryPair } from "../../../packages/client/src/tabs/memoryPair.ts";
import { type FromTab, type ToTab, tabsVersion } from "../../../packages/client/src/tabs/messages.ts";
import type { Locks, Port } from "../../../packages/client/src/tabs/port.ts";
import { makeTabSession } from "../../../packages/client/src/tabs/tabSession.ts";
import type { DurableSession } from "../actors/sessions.ts";
import { watchSettling } from "../actors/settling.ts";
import { type Because, type Watched, watchedTransport } from "../actors/watch.ts";
import { dice } from "../core/dice.ts";
import type { Process } from "../core/process.ts";
import type { Path } from "./path.ts";
import type { Surroundings } from "./surroundings.ts";

interface Waiter {
  readonly process: Process;
  readonly held: () => void;
  readonly lost: () => void;
  isDone: boolean;
}

export class Browser {
  readonly name: string;
  readonly path: Path;
  /** Where the host was made last: the tab that leads, unless it is gone. */
  leader: Process | undefined;
  /** The newest socket of the newest host. */
  transport: Watched | undefined;
  /** What one of its tabs was told that lets its next attempt pass the backoff. A new host begins at once, and needs none. */
  because: Because | undefined;
  private readonly world: Surroundings;
  private readonly kept = nothingKept();
  private owner: { readonly process: Process } | undefined;
  private readonly holders = new Map<string, Waiter>();
  private readonly queues = new Map<string, Waiter[]>();
  private readonly channels = new Map<
    string,
    Set<{ readonly process: Process; hear: (batch: readonly unknown[]) => void }>
  >();
  private hosts = 0;

  constructor(world: Surroundings, name: string, path: Path) {
    this.world = world;
    this.name = name;
    this.path = path;
  }

  open(process: Process, getToken: () => Promise<string | null>, onIdentityChanged: () => void): DurableSession {
    const onProblem = (problem: ProtocolError): void => this.world.problem(process.name, problem);
    const { clock } = process;
    const random = dice(this.world.seed, "tab", process.name);
    const url = "ws://holdfast.test/ws";
    const wanted = { version: tabsVersion, url, clientName: "page", clientVersion: "0", usesToken: true };
    const locks = this.locksOf(process);
    const tab = process.name;
    const link = leadingLink({
      tab,
      locks,
      clock,
      commons: this.channel<Announcement, Announcement>(process, "commons"),
      openPort: (port) => this.channel(process, port),
      makePair: memoryPair<ToTab, FromTab>,
      makeHost: () => this.makeHost(process, `tab ${tab}`),
    });
    const options = { url, clientName: "page", clock, random, getToken, onIdentityChanged, onProblem };
    return makeTabSession({
      options,
      wanted,
      tab,
      locks,
      link,
      clock,
      random,
      watch: () => () => {},
    }) as DurableSession;
  }

  private makeHost(process: Process, lock: string) {
    const { world } = this;
    const { clock } = process;
    this.leader = process;
    return makeHost({
      lock,
      locks: this.locksOf(process),
      clock,
      open: (lent, from) => {
        this.hosts += 1;
        const client = `${this.name}!${this.hosts}`;
        const transport = watchedTransport({
          client,
          process,
          path: this.path,
          network: world.network,
          now: () => world.scheduler.now,
          observe: (observation) => world.observe(observation),
          because: () => {
            const why = this.because;
            this.because = undefined;
            return why;
          },
        });
        this.transport = transport;
        const owned = openDurableSession(
          {
            ...lent,
            storage: this.storageOf(process),
            clock,
            random: dice(world.seed, "host", client),
            transport,
            onProblem: (problem) => world.problem(client, problem),
            http: () => Promise.reject(new Error("no HTTP here")),
          },
          from,
        );
        watchSettling(owned.session, () => {
          if (process.isAlive) world.observe({ kind: "settled", at: world.scheduler.now, client });
        });
        return owned;
      },
    });
  }

  /** What is kept has one owner, as a browser's database has: whoever else opens it does without. */
  private storageOf(process: Process): SessionStorage {
    const owner = { process };
    const storage = memoryStorage(this.kept);
    return {
      ...storage,
      open: async () => {
        if (this.owner?.process.isAlive === true) throw new Error("another owner of the socket has the storage");
        this.owner = owner;
        return await storage.open();
      },
      close: () => {
        if (this.owner === owner) this.owner = undefined;
      },
    };
  }

  private locksOf(process: Process): Locks {
    return {
      acquire: (name, held, { lost = () => {}, steals = false } = {}) => {
        const run = (work: () => void) => () => process.arrive(this.world.scheduler.now, work);
        const waiter: Waiter = { process, held: run(held), lost: run(lost), isDone: false };
        const release = (): void => {
          if (waiter.isDone) return;
          waiter.isDone = true;
          this.queues.set(
            name,
            (this.queues.get(name) ?? []).filter((other) => other !== waiter),
          );
          if (this.holders.get(name) !== waiter) return;
          this.holders.delete(name);
          this.grant(name);
        };
        process.onEnd(release);
        if (steals) {
          const robbed = this.holders.get(name);
          this.holders.set(name, waiter);
          if (robbed !== undefined) {
            robbed.isDone = true;
            robbed.lost();
          }
          waiter.held();
        } else {
          this.queues.set(name, [...(this.queues.get(name) ?? []), waiter]);
          this.grant(name);
        }
        return release;
      },
    };
  }

  private grant(name: string): void {
    if (this.holders.has(name)) return;
    const [next, ...rest] = this.queues.get(name) ?? [];
    if (next === undefined) return;
    this.queues.set(name, rest);
    this.holders.set(name, next);
    next.held();
  }

  private channel<In, Out>(process: Process, name: string): Port<In, Out> {
    const ends = this.channels.get(name) ?? new Set();
    this.channels.set(name, ends);
    const end = { process, hear: (_batch: readonly unknown[]): void => {} };
    ends.add(end);
    const close = (): void => void ends.delete(end);
    process.onEnd(close);
    return {
      post: (batch) => {
        if (!process.isAlive) return;
        for (const other of [...ends])
          if (other !== end)
            other.process.arrive(this.world.scheduler.now + 1, () => {
              if (ends.has(other)) other.hear(batch.map(copied));
            });
      },
      listen: (listener) => {
        end.hear = (batch) => listener(batch as readonly In[]);
      },
      close,
    };
  }
}

/** What a channel makes of a message: nothing of it is shared. Plain data is nearly all there is, and quicker copied so. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (value === null || ["string", "number", "boolean", "undefined"].includes(typeof value)) return value;
  // A function is refused, as a channel refuses it.
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value);
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) copy[key] = copied(part);
  return copy;
}
