/**
 * What one page reads: its subscriptions, each reported to the judge, those with a kept state too.
 *
 * Life: made with a page's session → ended with its process. A page that keeps reads its streams through
 * `subscribeStored` (ST-6): what it has folded is stored with its cursor, and the page after it goes on from there.
 * Invariant: `readerOpened` says where the client really begins, so a state that was kept with another cursor than its
 * own shows as a loss or a repeat. It decides nothing: person and plan say what is read.
 */
import type { Session, SubscribeOptions, Subscription } from "@holdfast/client";
import { type SessionStorage, subscribeStored } from "@holdfast/client/storage";
import type { Cursor } from "@holdfast/protocol";
import type { Process } from "../core/process.ts";
import type { PersonPlan } from "../plan/cast.ts";
import { logPrefix } from "../world/app.ts";
import type { Surroundings } from "../world/surroundings.ts";
import { type KeptFold, type Reading, type ReadingParts, reading } from "./reading.ts";

/** Each skip of an event may be lost with what was under way; not so many. */
const skipsMax = 50;
/** How long a browser's storage takes to answer. */
const loadMsMax = 20;

export interface ReadingsParts extends Required<Pick<ReadingParts, "isForsaken" | "seen" | "seenState">> {
  readonly world: Surroundings;
  readonly plan: PersonPlan;
  readonly client: string;
  /** Who is signed in, as the page knows. */
  readonly identity: { readonly user: string; readonly workspace: string };
  readonly process: Process;
  readonly session: Session;
  readonly storage: SessionStorage;
  /** Some stream's status is another. */
  readonly changed: () => void;
}

export class Readings {
  private readonly parts: ReadingsParts;
  private opened = 0;
  private counted = 0;
  private readonly readings = new Map<string, Reading>();
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly statuses = new Map<string, string>();

  constructor(parts: ReadingsParts) {
    this.parts = parts;
  }

  /** Nothing of any stream is still to be answered. */
  get areAnswered(): boolean {
    for (const kind of this.statuses.values()) if (kind === "waiting" || kind === "pending") return false;
    return true;
  }

  /** Offsets applied since this was asked last. */
  takeDeliveries(): number {
    let all = 0;
    for (const { deliveries } of this.readings.values()) all += deliveries;
    const fresh = all - this.counted;
    this.counted = all;
    return fresh;
  }

  read(stream: string, from: "start" | "latest"): void {
    const reader = this.name();
    const fresh = this.begin(reader, stream, from);
    const options = { ...fresh.options, ...this.watched(reader, () => fresh) };
    this.subscriptions.set(reader, this.parts.session.subscribe(stream, options));
  }

  /** The same from what an earlier page has kept; from `otherwise` where there is nothing. */
  readKept(stream: string, otherwise: "start" | "latest"): void {
    const { plan, process, session, identity } = this.parts;
    const reader = this.name();
    const name = `${plan.name} ${identity.workspace}/${identity.user} ${stream}`;
    this.statuses.set(reader, "waiting");
    let fresh: Reading | undefined;
    let cursor: Cursor | undefined;
    // Where nothing was kept it begins when it is first heard of.
    const began = (): Reading => {
      fresh ??= this.begin(reader, stream, otherwise);
      return fresh;
    };
    const subscription = subscribeStored(session, stream, {
      ...this.watched(reader, began),
      storage: this.storage(reader, name, began, (loaded) => {
        cursor = loaded;
      }),
      identity,
      clock: process.clock,
      otherwise,
      load: (state) => {
        if (cursor !== undefined) fresh = this.begin(reader, stream, cursor, { fold: state as KeptFold, name });
      },
      save: () => began().fold,
      onEvents: (events, position) => began().options.onEvents(events, position),
      onSnapshot: (data, position) => began().options.onSnapshot?.(data, position),
      onReset: (reset) => began().options.onReset?.(reset),
      onError: (error, decide) => began().options.onError?.(error, decide),
    });
    this.subscriptions.set(reader, subscription);
  }

  /** The page's, which takes a while to load, and tells what it holds. */
  private storage(
    reader: string,
    name: string,
    began: () => Reading,
    loaded: (cursor: Cursor) => void,
  ): SessionStorage {
    const { world, plan, process, storage, isForsaken } = this.parts;
    const delayMs = world.dice("storage", reader).integer(0, loadMsMax);
    return {
      ...storage,
      loadState: (...asked) =>
        new Promise((resolve, reject) => {
          process.arrive(world.scheduler.now + delayMs, () => {
            storage.loadState(...asked).then((found) => {
              if (found !== undefined) {
                world.effect("storedReload", plan.name);
                loaded(found.cursor);
              }
              resolve(found);
            }, reject);
          });
        }),
      async saveState(whose, key, state) {
        // What comes to a page that is dropped is not looked at: there is nothing to keep.
        const isSaved = !isForsaken() && (await storage.saveState(whose, key, state));
        if (!isSaved || !process.isAlive) return isSaved;
        began().restsAt(state.cursor);
        world.observe({ kind: "stored", at: world.scheduler.now, reader, name, ...state.cursor });
        return isSaved;
      },
    };
  }

  /** When what is under way now is done, its cursor is where it stays. */
  private choked(reader: string, times: number): void {
    const { process, world } = this.parts;
    if (times > skipsMax)
      world.violated("I1", `${reader} was given one event ${times} times, which it had said each time to skip (ST-6)`);
    process.arrive(world.scheduler.now, () => {
      const cursor = this.subscriptions.get(reader)?.cursor;
      if (cursor !== undefined) this.readings.get(reader)?.standsAt(cursor.offset);
    });
  }

  /** By the event alone, for all readings alike: it is the event that is wrong for this application. */
  private choking(stream: string): (offset: number) => boolean {
    const { world, plan } = this.parts;
    return (offset) => {
      const isChoked = world.dice("choke", plan.name, stream, offset).chance(plan.chokes ?? 0);
      if (isChoked) world.effect("unappliable", plan.name);
      return isChoked;
    };
  }

  private name(): string {
    this.opened += 1;
    return `${this.parts.client}.${this.opened}`;
  }

  private begin(
    reader: string,
    stream: string,
    from: NonNullable<ReadingParts["from"]>,
    kept?: ReadingParts["kept"],
  ): Reading {
    const { world, plan, client, identity, isForsaken, seen, seenState } = this.parts;
    const fresh = reading({
      reader,
      client,
      workspace: identity.workspace,
      stream,
      from,
      ...(kept === undefined ? {} : { kept }),
      now: () => world.scheduler.now,
      observe: (observation) => world.observe(observation),
      stumbles: stumbling(world, reader, plan.stumbles),
      ...(stream.startsWith(logPrefix) &&
        plan.chokes !== undefined && {
          chokesAt: this.choking(stream),
          choked: (times: number) => this.choked(reader, times),
        }),
      isForsaken,
      seen,
      seenState,
    });
    this.readings.set(reader, fresh);
    return fresh;
  }

  private watched(reader: string, began: () => Reading): Pick<SubscribeOptions, "onStatus"> {
    const { world, isForsaken, changed } = this.parts;
    return {
      onStatus: (status) => {
        began().options.onStatus?.(status);
        this.statuses.set(reader, status.kind);
        changed();
        if (isForsaken()) return;
        const cursor = status.kind === "live" ? this.subscriptions.get(reader)?.cursor : undefined;
        if (cursor === undefined) return;
        began().restsAt(cursor);
        world.observe({ kind: "positioned", at: world.scheduler.now, reader, ...cursor });
      },
    };
  }
}

/** Whether a handler throws now; by names, so that a shorter plan stumbles as the longer one did. */
function stumbling(world: Surroundings, reader: string, part = 0): () => boolean {
  if (part === 0) return () => false;
  const chance = world.dice("stumbles", reader);
  return () => chance.chance(part);
}
