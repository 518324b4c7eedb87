/**
 * Fan-out: brings each committed event to every reader of its stream, in order, once.
 *
 * Life cycle of a reader: `position` (where the stream stands) → `attach` at a cursor → fed live or by the
 * catch-up → `detach`. Memory is bounded: tails by {@link channelsBytesMax} in all (least recently used
 * first), readers by a cursor each. It knows no sockets, no users and no SQL.
 */
import type { Clock } from "@holdfast/protocol";
import type { StoreWatch } from "../admission/storeHealth.ts";
import type { Log } from "../observe/log.ts";
import type { Appended, Store, StreamPosition } from "../store/port.ts";
import { type Bus, headsOf } from "./bus.ts";
import { createCatchUp } from "./catchUp.ts";
import { acceptRun, type Channel, createChannel, learnPosition } from "./channel.ts";
import type { EncodeFrame } from "./eventsFrame.ts";
import { startHeadCheck } from "./headCheck.ts";
import type { Reader } from "./reader.ts";

const channelsBytesMax = 256 * 1024 * 1024;
const channelsMax = 20_000;
/** How many lookups and deliveries pass between two looks at memory. */
const evictEvery = 256;

export interface Hub {
  /**
   * Epoch and head of a stream; null where it does not exist. From memory where the stream is followed and
   * what comes after `offset` (absent: after the head) is in memory too, so that the store will not be read.
   */
  position(workspace: string, stream: string, offset?: number): Promise<StreamPosition | null>;
  /** The same, from the store alone: memory proves nothing about a rollback (ST-15). */
  storedPosition(workspace: string, stream: string): Promise<StreamPosition | null>;
  attach(workspace: string, stream: string, reader: Reader): void;
  detach(workspace: string, stream: string, reader: Reader): void;
  /** The reader's socket has room again. */
  drained(workspace: string, stream: string, reader: Reader): void;
  /** A batch's events, after its commit. */
  deliver(appended: readonly Appended[]): void;
  /** The durable head that this node knows of, for a reader's `head`. */
  head(workspace: string, stream: string): number;
  /** The stream has a new epoch: what is in memory of it is void, and every reader is told so. */
  forget(workspace: string, stream: string): void;
  /** Whether the stream's history can have been lost since its epoch was made: not once it was renewed here. */
  mayRollBack(workspace: string, stream: string): boolean;
  /** Events written since the start, once for each reader. */
  readonly deliveries: number;
  /** Subscriptions that are attached. */
  readonly readers: number;
  stop(): void;
}

export interface HubOptions {
  readonly store: Pick<Store, "read" | "position" | "positions">;
  readonly clock: Clock;
  readonly log: Log;
  readonly encode: EncodeFrame;
  /** Whether the store may be asked: readers that wait for it go on when it is back. */
  readonly health: StoreWatch;
  /** To and from other nodes on the same store; absent where there is none. */
  readonly bus?: Bus;
}

export function createHub({ store, clock, log, encode, health, bus }: HubOptions): Hub {
  /** In the order of their last use. */
  const channels = new Map<string, Channel>();
  /** Streams whose epoch this process renewed; there are as many as streams that a rollback really hit. */
  const renewed = new Set<string>();
  let uses = 0;
  let deliveries = 0;
  const delivered = (events: number): void => {
    deliveries += events;
  };
  const catchUp = createCatchUp({ store, clock, log, encode, health, delivered });

  const use = (workspace: string, stream: string): Channel => {
    const key = `${workspace}\n${stream}`;
    const channel = channels.get(key) ?? createChannel(workspace, stream);
    channels.delete(key);
    channels.set(key, channel);
    return channel;
  };
  const find = (workspace: string, stream: string): Channel | undefined => channels.get(`${workspace}\n${stream}`);

  /** Lookups that fail make channels, and deliveries fill tails: both count. */
  const tidy = (): void => {
    uses += 1;
    if (uses % evictEvery === 0) evict(channels);
  };

  const storedPosition = async (workspace: string, stream: string): Promise<StreamPosition | null> => {
    // Followed from before the read on: what commits meanwhile is not missed.
    const channel = use(workspace, stream);
    tidy();
    const position = await store.position(workspace, stream);
    if (position === null) {
      if (channel.readers.size === 0) channels.delete(`${workspace}\n${stream}`);
      return null;
    }
    const { head, epoch } = channel;
    learnPosition(channel, position);
    // Only then: thousands subscribe within a second, and each would look at all who did before.
    if (channel.head !== head || channel.epoch !== epoch) wake(channel);
    return { ...position, head: channel.head };
  };

  /** The head may have risen without a delivery (another node's commit): whoever stood at the old one reads on. */
  const wake = (channel: Channel): void => {
    for (const reader of channel.readers)
      if (reader.cursor < channel.head && !reader.behind) catchUp.add(channel, reader);
  };

  const forget = (workspace: string, stream: string): void => {
    const channel = find(workspace, stream);
    channels.delete(`${workspace}\n${stream}`);
    for (const reader of channel?.readers ?? []) {
      catchUp.remove(reader);
      reader.lost();
    }
  };

  const headCheck = startHeadCheck(
    store,
    clock,
    () => channels.values(),
    (channel, position) => {
      learnPosition(channel, position);
      wake(channel);
    },
    ({ workspace, stream }) => forget(workspace, stream),
  );

  const unlisten = bus?.listen((notice) => {
    if (notice.kind === "signals") return;
    if (notice.kind === "all") {
      headCheck.suspect(channels.values());
      return;
    }
    const grown: Channel[] = [];
    for (const { workspace, stream, epoch, head } of notice.heads) {
      const channel = find(workspace, stream);
      // Only the store says whether it is true.
      if (channel !== undefined && (head > channel.head || epoch !== channel.epoch)) grown.push(channel);
    }
    headCheck.suspect(grown);
  });

  return {
    storedPosition,
    async position(workspace, stream, offset) {
      const channel = find(workspace, stream);
      if (channel?.epoch === undefined || channel.readers.size === 0) return storedPosition(workspace, stream);
      const isInMemory = offset === undefined || offset >= channel.head || channel.tail.after(offset, 0) !== undefined;
      if (!isInMemory) return storedPosition(workspace, stream);
      return { epoch: channel.epoch, head: channel.head, trimmed: channel.trimmed, acknowledged: 0 };
    },
    attach(workspace, stream, reader) {
      const channel = use(workspace, stream);
      channel.readers.add(reader);
      reader.behind = reader.cursor < channel.head;
      if (reader.behind) catchUp.add(channel, reader);
    },
    detach(workspace, stream, reader) {
      find(workspace, stream)?.readers.delete(reader);
      catchUp.remove(reader);
    },
    drained(workspace, stream, reader) {
      const channel = find(workspace, stream);
      if (channel !== undefined && reader.behind && channel.readers.has(reader)) catchUp.add(channel, reader);
    },
    deliver(appended) {
      for (const run of appended) {
        const channel = find(run.workspace, run.stream);
        if (channel === undefined) continue;
        const readers = acceptRun(channel, run, encode, (reader) => catchUp.add(channel, reader));
        delivered(readers * run.events.length);
        tidy();
      }
      if (bus !== undefined && appended.length > 0) bus.publish(headsOf(appended));
    },
    get deliveries() {
      return deliveries;
    },
    get readers() {
      let readers = 0;
      for (const channel of channels.values()) readers += channel.readers.size;
      return readers;
    },
    head: (workspace, stream) => find(workspace, stream)?.head ?? 0,
    mayRollBack: (workspace, stream) => !renewed.has(`${workspace}\n${stream}`),
    forget(workspace, stream) {
      renewed.add(`${workspace}\n${stream}`);
      forget(workspace, stream);
    },
    stop() {
      unlisten?.();
      headCheck.stop();
      catchUp.stop();
    },
  };
}

/** Drops unread channels, least recently used first, until memory is within its bounds. */
function evict(channels: Map<string, Channel>): void {
  let bytes = 0;
  for (const channel of channels.values()) bytes += channel.tail.bytes;
  for (const [key, channel] of channels) {
    if (bytes <= channelsBytesMax && channels.size <= channelsMax) return;
    if (channel.readers.size > 0) continue;
    bytes -= channel.tail.bytes;
    channels.delete(key);
  }
}
