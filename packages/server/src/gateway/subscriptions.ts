/**
 * The subscriptions of one connection: from `subscribe` to a reader at the hub (section 5).
 *
 * Life cycle of one: asked → resolved in the order asked (position, snapshot, reset) → attached → detached,
 * or replaced by a newer `sub` of its stream at that point of the output. A store that does not answer makes
 * it `pending`, once, and it completes by itself (ST-7, ST-8): nothing is closed. An unknown and a forbidden
 * stream are refused alike (ST-18).
 */
import { type Cursor, limits, ProtocolError, type Subscription } from "@holdfast/protocol";
import type { Features } from "../flags/features.ts";
import type { Principal, StreamFamily } from "../plugin.ts";
import type { StreamPosition } from "../store/port.ts";
import type { Reader } from "../streams/reader.ts";
import type { GatewayContext } from "./context.ts";
import type { Opening } from "./openings.ts";
import type { SignalListener } from "./signals.ts";
import { snapshotParts } from "./snapshotParts.ts";
import type { Writer } from "./writer.ts";

export interface Subscriptions extends SignalListener {
  subscribe(asked: Subscription): void;
  unsubscribe(stream: string): void;
  /** The socket has room again: readers that fell behind go on. */
  drained(): void;
  has(stream: string): boolean;
  /** The principal's role may have changed: what it may no longer read is refused (AU-7). */
  review(): void;
  end(): void;
}

interface Entry {
  /** As asked; after a loss, from the cursor that was reached. */
  asked: Subscription;
  readonly reader: Reader;
  epoch: string;
  attached: boolean;
  readonly opening: Opening;
}

/** Where a subscription starts, and what the client is told of it. */
interface Start {
  readonly epoch: string;
  readonly offset: number;
  /** How many events are gone, where that is known. */
  readonly lost?: number;
  readonly snapshot?: Record<string, unknown>;
  readonly reset?: "epoch" | "trimmed";
}

export function createSubscriptions(
  context: GatewayContext,
  reader: () => Principal,
  writer: Writer,
  features: Pick<Features, "rollUp">,
): Subscriptions {
  const { workspace } = reader();
  const entries = new Map<string, Entry>();
  const { hub, openings } = context;
  const placeOf = (stream: string): string => `${workspace}\n${stream}`;
  /** One after the other, so that answers come in the order of the questions (OP-3). */
  let last: Promise<void> = Promise.resolve();
  let ended = false;
  let wake = (): void => {};

  const isCurrent = (entry: Entry): boolean => !ended && entries.get(entry.asked.stream) === entry;

  const drop = (entry: Entry): void => {
    openings.remove(entry.opening);
    if (entry.attached) {
      hub.detach(workspace, entry.asked.stream, entry.reader);
      context.signals.leave(workspace, entry.asked.stream, subscriptions);
    }
    if (entries.get(entry.asked.stream) === entry) entries.delete(entry.asked.stream);
  };

  const refuse = (asked: Subscription, error: ProtocolError): void =>
    writer.send({ type: "refused", of: "subscribe", stream: asked.stream, sub: asked.sub, error: error.toBody() });

  /** ST-11: a snapshot is read for a socket that has room for it, so that one at a time is in memory. */
  const room = async (): Promise<void> => {
    while (!ended && writer.unsentBytes > limits.unsentBytesMax) {
      await new Promise<void>((go) => {
        wake = go;
      });
    }
  };

  const resolve = async (entry: Entry): Promise<void> => {
    if (!isCurrent(entry)) return;
    const { asked } = entry;
    if (openings.holds(placeOf(asked.stream), entry.opening)) return;
    const family = context.family(asked.stream);
    try {
      await room();
      if (!isCurrent(entry)) return;
      const start = await findStart(context, reader(), asked, family);
      for (const other of openings.ended(placeOf(asked.stream))) if (other !== entry.opening) other.retry();
      if (!isCurrent(entry)) return;
      if (start === undefined) {
        drop(entry);
        refuse(asked, unknownStream(asked.stream));
        return;
      }
      begin(entry, start);
    } catch (error) {
      openings.failed(placeOf(asked.stream), isCurrent(entry) ? [entry.opening] : [], error);
    }
  };

  const begin = (entry: Entry, start: Start): void => {
    const { stream, sub } = entry.asked;
    const head = Math.max(start.offset, hub.head(workspace, stream));
    const parts = start.snapshot === undefined ? [] : snapshotParts(start.snapshot);
    writer.send({
      type: "subscribed",
      stream,
      sub,
      epoch: start.epoch,
      offset: start.offset,
      head,
      ...(start.reset === undefined ? {} : { reset: start.reset }),
      ...(start.lost === undefined ? {} : { lost: start.lost }),
      ...(parts.length === 0 ? {} : { snapshot: parts.length }),
    });
    parts.forEach((data, index) => {
      writer.send({ type: "snapshot", stream, sub, part: index + 1, data });
    });
    entry.reader.cursor = start.offset;
    entry.reader.origin = entry.asked.from === "start" ? start.offset : undefined;
    entry.epoch = start.epoch;
    entry.attached = true;
    hub.attach(workspace, stream, entry.reader);
    context.signals.join(workspace, stream, subscriptions);
  };

  const enqueue = (entry: Entry): void => {
    last = last.then(() => resolve(entry));
  };

  const subscriptions: Subscriptions = {
    subscribe(asked) {
      const older = entries.get(asked.stream);
      if (older !== undefined) drop(older);
      if (entries.size >= limits.subscriptionsMax) {
        refuse(
          asked,
          new ProtocolError("too_many", `a connection has at most ${limits.subscriptionsMax} subscriptions`),
        );
        return;
      }
      const feed: Reader = {
        cursor: 0,
        origin: undefined,
        behind: false,
        isPlain: !features.rollUp,
        hasRoom: () => writer.unsentBytes <= limits.unsentBytesMax,
        write: (frame) => writer.writeFrame(frame),
        pending: (reason, ref) => writer.send({ type: "pending", stream: asked.stream, sub: asked.sub, reason, ref }),
        lost: () => {
          entry.attached = false;
          context.signals.leave(workspace, asked.stream, subscriptions);
          entry.asked = { ...entry.asked, from: { epoch: entry.epoch, offset: feed.cursor } };
          enqueue(entry);
        },
      };
      const opening: Opening = {
        pending: feed.pending,
        retry: () => {
          if (isCurrent(entry)) void resolve(entry);
          return isCurrent(entry);
        },
      };
      const entry: Entry = { asked, reader: feed, epoch: "", attached: false, opening };
      entries.set(asked.stream, entry);
      enqueue(entry);
    },
    unsubscribe(stream) {
      const entry = entries.get(stream);
      if (entry !== undefined) drop(entry);
    },
    drained() {
      wake();
      for (const { asked, attached, reader } of entries.values())
        if (attached && reader.behind) hub.drained(workspace, asked.stream, reader);
    },
    has: (stream) => entries.get(stream)?.attached === true,
    review() {
      for (const entry of [...entries.values()]) {
        if (context.family(entry.asked.stream)?.mayRead(reader(), entry.asked.stream) === true) continue;
        drop(entry);
        refuse(entry.asked, unknownStream(entry.asked.stream));
      }
    },
    hearSignal(signal) {
      if (writer.unsentBytes <= limits.unsentBytesMax) writer.send(signal);
    },
    end() {
      ended = true;
      wake();
      for (const entry of [...entries.values()]) drop(entry);
    },
  };
  return subscriptions;
}

function unknownStream(stream: string): ProtocolError {
  return new ProtocolError("not_found", `there is no stream "${stream}"`);
}

/**
 * Resolves `from` against the stream (ST-2, ST-3, ST-15, OP-8); undefined: there is no such stream, or none
 * for this reader, who waits as long for either answer (ST-18).
 */
async function findStart(
  context: GatewayContext,
  principal: Principal,
  asked: Subscription,
  family: StreamFamily | undefined,
): Promise<Start | undefined> {
  const { from, stream } = asked;
  const { workspace } = principal;
  const offset = from === "start" ? 0 : from === "latest" ? undefined : from.offset;
  const mayRead = family?.mayRead(principal, stream) === true;
  if (family === undefined || !mayRead) {
    await context.hub.storedPosition(workspace, stream);
    return undefined;
  }
  const position = await findPosition(context, workspace, stream, family, offset);
  if (position === null) return undefined;
  if (typeof from === "string") {
    if (family.inbox) return { epoch: position.epoch, offset: inboxStart(position) };
    if (from === "start") return { epoch: position.epoch, offset: position.trimmed };
    return latest(context, workspace, stream, family, position);
  }
  return resume(context, workspace, stream, family, from, position);
}

async function findPosition(
  context: GatewayContext,
  workspace: string,
  stream: string,
  family: StreamFamily,
  offset: number | undefined,
): Promise<StreamPosition | null> {
  const { hub, committer } = context;
  const position = family.inbox
    ? await hub.storedPosition(workspace, stream)
    : await hub.position(workspace, stream, offset);
  if (position !== null || !family.always) return position;
  await committer.run({ kind: "append", workspace, stream, events: [] });
  return hub.storedPosition(workspace, stream);
}

async function resume(
  context: GatewayContext,
  workspace: string,
  stream: string,
  family: StreamFamily,
  cursor: Cursor,
  position: StreamPosition,
): Promise<Start> {
  const anew = async (at: StreamPosition): Promise<Start> =>
    family.inbox ? { epoch: at.epoch, offset: inboxStart(at) } : latest(context, workspace, stream, family, at);
  if (cursor.epoch !== position.epoch) return { ...(await anew(position)), reset: "epoch" };
  if (cursor.offset > position.head) {
    const current = await judgeRollback(context, workspace, stream, cursor, position);
    if (current !== undefined) return { ...(await anew(current)), reset: "epoch" };
  }
  if (family.inbox) return resumeInbox(cursor, position);
  if (cursor.offset < position.trimmed) {
    return { ...(await anew(position)), reset: "trimmed", lost: position.trimmed - cursor.offset };
  }
  return { epoch: position.epoch, offset: cursor.offset };
}

/**
 * OP-8: from the higher of the agent's cursor and the acknowledged one, never from the start again. Where another
 * process of the agent has acknowledged more than this one has (its machine was copied), it is told of the jump (ST-3).
 */
function resumeInbox(cursor: Cursor, position: StreamPosition): Start {
  const { epoch } = position;
  const start = inboxStart(position);
  if (start <= cursor.offset) return { epoch, offset: cursor.offset };
  return { epoch, offset: start, reset: "trimmed", lost: start - cursor.offset };
}

/** OP-8: before the first event that is neither acknowledged nor expired. */
function inboxStart({ acknowledged, trimmed }: StreamPosition): number {
  return Math.max(acknowledged, trimmed);
}

/**
 * ST-15: a cursor beyond what memory knows; only the store can show a rollback. The stream's position under
 * its new epoch where there was one; undefined where the store knows the cursor.
 */
async function judgeRollback(
  context: GatewayContext,
  workspace: string,
  stream: string,
  cursor: Cursor,
  known: StreamPosition,
): Promise<StreamPosition | undefined> {
  const stored = await context.hub.storedPosition(workspace, stream);
  if (stored !== null && stored.epoch === cursor.epoch && cursor.offset <= stored.head) return undefined;
  // A store that only this process writes can have lost history only before it started: whoever claims more of
  // an epoch that was made since then is wrong, and resets nobody but itself.
  if (stored !== null && stored.epoch === cursor.epoch && !context.hub.mayRollBack(workspace, stream)) return stored;
  // Of several readers that saw the same rollback, one renews; the others find it done.
  await context.committer.run({ kind: "renew", workspace, stream, epoch: known.epoch });
  const renewed = await context.hub.storedPosition(workspace, stream);
  if (stored?.epoch === known.epoch) {
    context.log.warn("stream.rolled_back", { stream, cursor: cursor.offset, head: stored.head });
    context.hub.forget(workspace, stream);
    await context.hub.storedPosition(workspace, stream);
  }
  return renewed ?? known;
}

async function latest(
  context: GatewayContext,
  workspace: string,
  stream: string,
  family: StreamFamily,
  position: StreamPosition,
): Promise<Start> {
  if (family.snapshot === undefined) return { epoch: position.epoch, offset: position.head };
  const snapshot = await context.store.snapshot(workspace, stream);
  if (snapshot?.data == null) return { epoch: position.epoch, offset: position.head };
  return { epoch: snapshot.position.epoch, offset: snapshot.position.head, snapshot: snapshot.data };
}
