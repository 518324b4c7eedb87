/**
 * A browser without a browser: tabs that share one socket over ports in memory, and locks that die with them.
 *
 * `kill` is what a browser does to a tab or a worker that crashed: its locks are free, its ports deaf, its timers
 * never run, and nothing of it hears anything. `stall` stops it without freeing anything, until `wake`.
 */
import type { Clock } from "@holdfast/protocol";
import {
  type DurableSession,
  type DurableSessionOptions,
  openDurableSession,
} from "../../src/durable/durableSession.ts";
import { type Host, makeHost } from "../../src/tabs/host.ts";
import { type Announcement, leadingLink } from "../../src/tabs/leading.ts";
import { memoryPair } from "../../src/tabs/memoryPair.ts";
import { type FromTab, type ToTab, tabsVersion, type Wanted } from "../../src/tabs/messages.ts";
import type { Locks, Port } from "../../src/tabs/port.ts";
import { type Link, makeTabSession } from "../../src/tabs/tabSession.ts";
import { workingLink } from "../../src/tabs/working.ts";
import { ModelServer } from "./modelServer.ts";
import { makeRandom } from "./random.ts";
import { SimClock } from "./simClock.ts";

/** One process of the browser: a tab, or a worker. */
class Room {
  private readonly clock: SimClock;
  alive = true;
  stalled = false;
  readonly held = new Set<() => void>();
  private readonly waiting: (() => void)[] = [];

  constructor(clock: SimClock) {
    this.clock = clock;
  }

  /** Runs in this room: never when it is dead, later when it is stalled. */
  run = (work: () => void): void => {
    if (!this.alive) return;
    if (this.stalled) this.waiting.push(work);
    else work();
  };

  /** What waited runs in its order, each in a turn of its own. */
  wake = (): void => {
    const work = this.waiting.shift();
    if (work === undefined) {
      this.stalled = false;
      return;
    }
    if (this.alive) work();
    this.clock.after(0, this.wake);
  };

  kill(): void {
    this.alive = false;
    for (const release of [...this.held]) release();
  }
}

export interface Tab {
  readonly session: DurableSession;
  readonly room: Room;
  hint(hint: "visible" | "hidden" | "online" | "offline"): void;
}

export class TabsWorld {
  readonly clock = new SimClock();
  readonly server = new ModelServer(this.clock);
  /** Uncaught faults of the program's callbacks. */
  readonly reported: unknown[] = [];
  worker: Room | undefined;
  private host: Host | undefined;
  private readonly queues = new Map<string, Waiter[]>();
  private readonly holders = new Map<string, Waiter>();
  private readonly channels = new Map<string, Set<ChannelEnd>>();
  private made = 0;

  open(way: "worker" | "leader", options: Partial<DurableSessionOptions> = {}): Tab {
    this.made += 1;
    const room = new Room(this.clock);
    const tab = `tab-${this.made}`;
    const clock = this.clockIn(room);
    const random = makeRandom(this.made);
    const wanted: Wanted = {
      version: tabsVersion,
      url: "ws://server.test/ws",
      clientName: "test",
      clientVersion: options.clientVersion ?? "0",
      usesToken: options.getToken !== undefined,
    };
    const name = JSON.stringify(wanted);
    const locks = this.locksIn(room, name);
    let tell: (hint: "visible" | "hidden" | "online" | "offline") => void = () => {};
    const leading = (): Link =>
      leadingLink({
        tab,
        locks,
        clock,
        commons: this.channel<Announcement, Announcement>(room, name),
        openPort: (port) => this.channel(room, `${name} ${port}`),
        makePair: memoryPair<ToTab, FromTab>,
        makeHost: () => this.makeHost(room, name, `tab ${tab}`, options),
      });
    const link =
      way === "leader"
        ? leading()
        : workingLink({ locks, clock, connect: () => this.connect(room, name), instead: leading });
    const session = makeTabSession({
      options: { clientName: "test", ...options },
      wanted,
      tab,
      locks,
      link,
      clock,
      random,
      watch: (hinted) => {
        tell = hinted;
        return () => {};
      },
      report: (error) => this.reported.push(error),
    });
    return { session, room, hint: (hint) => room.run(() => tell(hint)) };
  }

  /** As a crash: what it held is free. */
  kill(room: Room | undefined): void {
    if (room === undefined) return;
    if (room === this.worker) this.worker = undefined;
    for (const connection of this.server.living)
      if (this.rooms.get(connection.number) === room) connection.alive = false;
    room.kill();
  }

  private readonly rooms = new Map<number, Room>();

  private makeHost(room: Room, name: string, lock: string, options: Partial<DurableSessionOptions>): Host {
    const clock = this.clockIn(room);
    return makeHost({
      open: (lent, from) =>
        openDurableSession(
          {
            ...(options.storage && { storage: options.storage }),
            ...lent,
            clock,
            random: makeRandom(this.made * 100),
            transport: {
              open: (url, protocols, events) => {
                const socket = this.server.open(url, protocols, {
                  opened: () => room.run(events.opened),
                  received: (frame) => room.run(() => events.received(frame)),
                  closed: (code, reason) => room.run(() => events.closed(code, reason)),
                });
                this.rooms.set(this.server.last.number, room);
                return socket;
              },
            },
          },
          from,
        ),
      lock,
      locks: this.locksIn(room, name),
      clock,
    });
  }

  /** What `new SharedWorker` does: the one that lives, or a new one. */
  private connect(tab: Room, name: string): Port<ToTab, FromTab> {
    const pair = memoryPair<ToTab, FromTab>();
    if (this.worker === undefined) {
      const room = new Room(this.clock);
      this.worker = room;
      this.made += 1;
      const lock = `host ${this.made}`;
      this.host = this.makeHost(room, name, lock, {});
      this.locksIn(room, name).acquire(lock, () => {});
    }
    const { worker, host } = this;
    host?.accept(inRoom(pair.host, worker));
    return inRoom(pair.tab, tab);
  }

  private clockIn(room: Room): Clock {
    return {
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      after: (ms, run) => this.clock.after(ms, () => room.run(run)),
      cancel: (handle) => this.clock.cancel(handle),
    };
  }

  /** Locks of one name, as all that agree in it have. */
  private locksIn(room: Room, prefix: string): Locks {
    return {
      acquire: (lock, held, { lost = () => {}, steals = false } = {}) => {
        const name = `${prefix} ${lock}`;
        const waiter: Waiter = { held: () => room.run(held), lost: () => room.run(lost), done: false };
        const release = (): void => {
          if (waiter.done) return;
          waiter.done = true;
          room.held.delete(release);
          this.queues.set(
            name,
            (this.queues.get(name) ?? []).filter((other) => other !== waiter),
          );
          if (this.holders.get(name) !== waiter) return;
          this.holders.delete(name);
          this.grant(name);
        };
        room.held.add(release);
        if (steals) {
          const robbed = this.holders.get(name);
          this.holders.set(name, waiter);
          if (robbed !== undefined) {
            robbed.done = true;
            robbed.lost();
          }
          queueMicrotask(waiter.held);
        } else {
          this.queues.set(name, [...(this.queues.get(name) ?? []), waiter]);
          queueMicrotask(() => this.grant(name));
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

  private channel<In, Out>(room: Room, name: string): Port<In, Out> {
    const ends = this.channels.get(name) ?? new Set();
    this.channels.set(name, ends);
    const end: ChannelEnd = { hear: () => {} };
    ends.add(end);
    return {
      post: (batch) => {
        const others = [...ends].filter((other) => other !== end);
        if (room.alive)
          queueMicrotask(() => {
            for (const other of others) if (ends.has(other)) other.hear(structuredClone(batch));
          });
      },
      listen(listener) {
        end.hear = (batch) => room.run(() => listener(batch as readonly In[]));
      },
      close: () => void ends.delete(end),
    };
  }
}

interface Waiter {
  readonly held: () => void;
  readonly lost: () => void;
  done: boolean;
}

interface ChannelEnd {
  hear: (batch: readonly unknown[]) => void;
}

function inRoom<In, Out>(port: Port<In, Out>, room: Room | undefined): Port<In, Out> {
  return {
    post: (batch) => room?.alive && port.post(structuredClone(batch)),
    listen: (listener) => port.listen((batch) => room?.run(() => listener(batch))),
    close: () => port.close(),
  };
}
