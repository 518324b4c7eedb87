/**
 * Streams in the words of another protocol, as server-sent events: `GET /api/<path>` of each feed that the app declares.
 *
 * A feed is a reader like any other: it stands at a cursor, is woken when the stream grows, and reads on from the log as fast
 * as its client takes it. Life cycle: credential and right judged → snapshot → what follows, until the client goes, its
 * credential ends, or the server stops. Invariants: memory is bounded by one read, however slow the client; a store that is
 * away ends no feed; the right is judged anew each {@link judgedEachMs}, so an ended credential ends its feeds within that.
 * It deliberately has no event ids: whoever comes again begins with the snapshot.
 */
import { type Clock, ProtocolError } from "@holdfast/protocol";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { CookiePlace } from "../auth/cookies.ts";
import { type Auth, errorOf } from "../auth/service.ts";
import type { Credentials } from "../auth/verdict.ts";
import type { Feed, OpenFeed, Principal, StreamFamily } from "../plugin.ts";
import type { EncodedRun, Store } from "../store/port.ts";
import type { Hub } from "../streams/hub.ts";
import type { Reader } from "../streams/reader.ts";
import { credentialsOf } from "./guard.ts";

/** At once, on this node. */
export const feedsMax = 200;
/** Who leaves makes room, and nobody tells when that is. */
const crowdedRetryAfterMs = 10_000;
/** How often a right is judged anew, and a sign of life is sent. */
export const judgedEachMs = 10_000;
/** Of one read. */
const eventsAtOnce = 500;
const bytesAtOnce = 256 * 1024;
/** Before the store is asked again that did not answer. */
const retryMs = 2_000;

export interface FeedRoutesOptions {
  readonly auth: Pick<Auth, "verify">;
  readonly feeds: readonly Feed[];
  readonly hub: Pick<Hub, "position" | "attach" | "detach">;
  readonly store: Pick<Store, "snapshot" | "read">;
  readonly family: (stream: string) => StreamFamily | undefined;
  readonly clock: Clock;
  readonly place: () => CookiePlace;
}

export function addFeedRoutes(app: FastifyInstance, options: FeedRoutesOptions): void {
  const { auth, feeds, family, place } = options;
  const open = new Set<FeedReader>();
  // The server would wait for them for ever.
  app.addHook("preClose", async () => {
    for (const reader of open) reader.end();
  });
  for (const feed of feeds) {
    app.get<{ Params: { id: string } }>(`/api/${feed.path}`, async (request, reply) => {
      const { ignoredCookie: _, ...cookies } = credentialsOf(request, place());
      const credentials = { ...cookies, instance: cookies.browser ?? "http" };
      const stream = feed.stream(request.params.id);
      const principal = await readerOf(auth, credentials, family, stream);
      if (open.size >= feedsMax)
        throw new ProtocolError("too_many", `${open.size} feeds are open, no more than ${feedsMax} may be`, {
          retryAfter: crowdedRetryAfterMs,
        });
      const reader = new FeedReader({ ...options, feed, stream, principal, credentials });
      open.add(reader);
      try {
        await reader.run(reply);
      } finally {
        open.delete(reader);
      }
    });
  }
}

/** Whoever may read the stream. Throws; unknown and forbidden are one answer (ST-18). */
async function readerOf(
  auth: Pick<Auth, "verify">,
  credentials: Credentials,
  family: FeedRoutesOptions["family"],
  stream: string,
): Promise<Principal> {
  const verdict = await auth.verify(credentials);
  if (verdict.kind !== "accepted") throw errorOf(verdict);
  if (family(stream)?.mayRead(verdict.principal, stream) === true) return verdict.principal;
  throw new ProtocolError("not_found", `there is no stream "${stream}"`);
}

interface FeedReaderOptions extends FeedRoutesOptions {
  readonly feed: Feed;
  readonly stream: string;
  readonly principal: Principal;
  readonly credentials: Credentials;
}

class FeedReader {
  private readonly options: FeedReaderOptions;
  private cursor = 0;
  private ended = false;
  private isWoken = false;
  private readonly sleepers = new Set<() => void>();

  constructor(options: FeedReaderOptions) {
    this.options = options;
  }

  end(): void {
    this.ended = true;
    this.notify();
  }

  /** Throws what is wrong before the answer begins; afterwards it only ends. */
  async run(reply: FastifyReply): Promise<void> {
    const { hub, store, stream, principal, feed } = this.options;
    const { workspace } = principal;
    // Followed before the snapshot is read: what commits meanwhile wakes.
    const known = await hub.position(workspace, stream);
    const snapshot = known === null ? null : await store.snapshot(workspace, stream);
    if (snapshot === null || snapshot.data === null)
      throw new ProtocolError("not_found", `there is no stream "${stream}"`);
    this.cursor = snapshot.position.head;
    const opened = feed.open(snapshot.data);
    const reader = this.reader();
    hub.attach(workspace, stream, reader);
    reply.hijack();
    const { raw } = reply;
    raw.on("close", () => this.end());
    raw.on("drain", () => this.notify());
    const headers = { ...reply.getHeaders(), "content-type": "text/event-stream", "x-accel-buffering": "no" };
    raw.writeHead(200, headers as Record<string, string>);
    try {
      await this.write(raw, opened.first);
      await Promise.all([this.follow(raw, opened), this.judge(raw)]);
    } finally {
      this.end();
      hub.detach(workspace, stream, reader);
      raw.end();
    }
  }

  /** Its frames are for sockets: here they only tell that the stream has grown. */
  private reader(): Reader {
    const wake = (): void => this.notify();
    return {
      cursor: this.cursor,
      origin: undefined,
      behind: false,
      isPlain: true,
      hasRoom: () => true,
      write: wake,
      pending: () => {},
      // The history was lost under it: the client comes again, and begins anew.
      lost: () => this.end(),
    };
  }

  private async follow(raw: FastifyReply["raw"], opened: OpenFeed): Promise<void> {
    while (!this.ended) {
      const run = await this.read();
      if (run === undefined) {
        await this.pause(retryMs);
        continue;
      }
      if (run.pieces.length === 0) {
        await this.woken();
        continue;
      }
      for (const { bytes, span } of run.pieces) {
        const events = JSON.parse(`[${Buffer.from(bytes).toString("utf8")}]`) as Parameters<OpenFeed["event"]>[0][];
        this.cursor += span;
        await this.write(raw, events.flatMap(opened.event));
        if (this.ended) return;
      }
    }
  }

  /** undefined: the store does not give it now. */
  private async read(): Promise<EncodedRun | undefined> {
    const { store, stream, principal } = this.options;
    this.isWoken = false;
    try {
      return await store.read(principal.workspace, stream, this.cursor, eventsAtOnce, bytesAtOnce);
    } catch {
      return undefined;
    }
  }

  private async write(raw: FastifyReply["raw"], events: readonly object[]): Promise<void> {
    if (events.length === 0 || this.ended) return;
    const hasRoom = raw.write(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
    if (!hasRoom) await this.woken(() => raw.writableNeedDrain);
  }

  private async judge(raw: FastifyReply["raw"]): Promise<void> {
    const { auth, credentials, family, stream } = this.options;
    while (!this.ended) {
      await this.pause(judgedEachMs);
      if (this.ended) return;
      const isStill = await readerOf(auth, credentials, family, stream).then(
        () => true,
        // A provider that is away says nothing about a right (AU-4).
        (error: unknown) => error instanceof ProtocolError && error.code === "auth_unavailable",
      );
      if (!isStill) this.end();
      else if (!raw.writableNeedDrain) raw.write(": \n\n");
    }
  }

  /** There may be something to read, or room to write. */
  private notify(): void {
    this.isWoken = true;
    this.rouse();
  }

  private rouse(): void {
    for (const go of [...this.sleepers]) go();
  }

  private next(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.sleepers.delete(go);
        resolve();
      };
      this.sleepers.add(go);
    });
  }

  /** Until something has happened that may let it go on. */
  private async woken(isStuck: () => boolean = () => !this.isWoken): Promise<void> {
    while (isStuck() && !this.ended) await this.next();
  }

  private async pause(ms: number): Promise<void> {
    const { clock } = this.options;
    let isOver = false;
    const timer = clock.after(ms, () => {
      isOver = true;
      this.rouse();
    });
    while (!isOver && !this.ended) await this.next();
    clock.cancel(timer);
  }
}
