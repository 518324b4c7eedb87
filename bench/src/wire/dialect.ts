/**
 * What a peer's client says and hears, over one WebSocket: the only place where the peers differ to a reader.
 *
 * A reader counts every event by bytes; one that is `whole` also looks into each event, for order and latency.
 */
import type { ClientSocket, FrameSink } from "./webSocket.ts";

export interface Delivery {
  /** Subscribed: from now on nothing is missed. */
  ready(): void;
  events(count: number): void;
  /** Each event, of a reader that is `whole`. */
  event(n: number, microseconds: number): void;
  /** Something that must not happen: a gap, a refusal, an early end. */
  fault(what: string): void;
}

export interface ReaderOptions {
  readonly eventBytes: number;
  readonly whole: boolean;
  readonly from: "latest" | "start";
  /** Without it the connection is opened and nothing is read: only Holdfast tells the two apart. */
  readonly subscribe: boolean;
}

export interface ReaderSession extends FrameSink {
  opened(socket: ClientSocket): void;
  /** Of one that was opened without: reads from there. Only Holdfast's can. */
  subscribe?(from: "latest" | "start"): void;
  /** What keeps an idle connection alive, where the client must speak first. Called every 15 s. */
  beat(): void;
}

export interface PublisherSession extends FrameSink {
  opened(socket: ClientSocket): void;
  /** As a reader's. */
  beat(): void;
  /** Sends events `first`…`first + count - 1`. */
  publish(first: number, count: number, microseconds: number): void;
  /** Events sent and not yet confirmed as durable; 0 where the peer confirms nothing. */
  readonly unconfirmed: number;
}

export interface PublisherOptions {
  readonly eventBytes: number;
  readonly ready: () => void;
  readonly fault: (what: string) => void;
}

export interface Dialect {
  readonly protocol?: string;
  /** Whether the client's frames are binary. */
  readonly binary: boolean;
  readerUrl(url: string): string;
  publisherUrl(url: string): string;
  reader(options: ReaderOptions, delivery: Delivery): ReaderSession;
  publisher(options: PublisherOptions): PublisherSession;
}
