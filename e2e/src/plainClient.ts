/**
 * A client that is nobody's package: `ws` and PROTOCOL.md, nothing else.
 *
 * It exists so that the wire is proven by something that shares no code with the product. It keeps every
 * message that it got, in order; a test looks among them. Invariant of its reading: a stream's events are
 * taken in contiguous order only, and a gap or a repeat throws. It deliberately never reconnects.
 */
import { randomBytes, randomUUID } from "node:crypto";
import WebSocket from "ws";
import { waitFor } from "./waiting.ts";

const answerMsMax = 15_000;

export interface Message {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface PlainEvent {
  readonly offset: number;
  /** The last that it stands for: its own, unless the server has joined several (ST-12). */
  readonly through: number;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface PlainStream {
  readonly epoch: string;
  readonly events: PlainEvent[];
  head: number;
}

export interface PlainClient {
  readonly messages: readonly Message[];
  /** The close code and reason, once the socket is closed. */
  readonly closed: () => { readonly code: number; readonly reason: string } | undefined;
  readonly streams: ReadonlyMap<string, PlainStream>;
  send(...messages: readonly Message[]): void;
  /** A text frame as it is, or a binary one. */
  sendRaw(frame: string | Uint8Array): void;
  /** The first message that `is` takes, now or later. */
  message(is: (message: Message) => boolean, what: string): Promise<Message>;
  /** Sends a request and gives its result; throws the error's code and message. */
  call(method: string, params: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  /** Reads a stream from its start, and goes on reading it. */
  read(stream: string): Promise<PlainStream>;
  close(): Promise<void>;
}

export interface PlainOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as `hello.subscribe`. */
  readonly subscribe?: readonly unknown[];
  /** Do not send `hello`. */
  readonly silent?: boolean;
  /** Further fields of `hello`, or others in their place. */
  readonly hello?: Readonly<Record<string, unknown>>;
  /** `/ws` where absent. */
  readonly path?: string;
  /** Called with each message as it comes, before anybody else hears of it. */
  readonly heard?: (message: Message) => void;
}

/** Opens a socket to `url` (http) and says hello. */
export async function openPlainClient(url: string, options: PlainOptions = {}): Promise<PlainClient> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${options.path ?? "/ws"}`, ["holdfast.v1"], {
    headers: { ...options.headers },
  });
  const messages: Message[] = [];
  const streams = new Map<string, PlainStream>();
  let closed: { code: number; reason: string } | undefined;
  let broken: Error | undefined;
  // ST-2: it rises per connection; those of `hello.subscribe` were the first.
  let sub = options.subscribe?.length ?? 0;
  /** Who waits for something, each called when something came. */
  const lookers = new Set<() => void>();
  const changed = (): void => {
    for (const look of lookers) look();
  };

  socket.on("message", (frame, isBinary) => {
    if (isBinary) broken = new Error("a binary frame came");
    for (const message of JSON.parse(String(frame)) as readonly Message[]) {
      options.heard?.(message);
      messages.push(message);
      try {
        apply(streams, message);
      } catch (error) {
        broken = error as Error;
      }
    }
    changed();
  });
  socket.on("close", (code, reason) => {
    closed = { code, reason: reason.toString() };
    changed();
  });
  await new Promise<void>((done, failed) => {
    socket.once("open", done);
    socket.once("error", failed);
    socket.once("unexpected-response", (_request, response) => {
      failed(new UpgradeRefused(response.statusCode ?? 0));
    });
  });
  socket.on("error", (error) => {
    broken = error;
    changed();
  });

  const send = (...sent: readonly Message[]): void => socket.send(JSON.stringify(sent));
  const message = (is: (one: Message) => boolean, what: string): Promise<Message> =>
    new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        clearTimeout(timer);
        lookers.delete(look);
        if (error !== undefined) reject(error);
      };
      const look = (): void => {
        const found = messages.find(is);
        if (broken !== undefined) end(broken);
        else if (found !== undefined) {
          end();
          resolve(found);
        } else if (closed !== undefined)
          end(new Error(`${what}: the server closed before, with ${closed.code} ${closed.reason}`));
      };
      const timer = setTimeout(() => end(new Error(`${what}: not within ${answerMsMax} ms`)), answerMsMax);
      lookers.add(look);
      look();
    });
  /** OP-1: before `welcome` nothing but `hello` may be sent. */
  const welcomed = async (): Promise<void> => {
    await message(({ type }) => type === "welcome", "welcome");
  };
  if (options.silent !== true) send(plainHello({ ...subscriptionsOf(options), ...options.hello }));
  return {
    messages,
    closed: () => closed,
    streams,
    send,
    sendRaw: (frame) => socket.send(frame),
    message,
    call: async (method, params) => {
      await welcomed();
      const id = uuidv7();
      send({ type: "request", id, method, params });
      const answer = await message((one) => one.type === "response" && one["id"] === id, `response to ${method}`);
      const error = answer["error"] as { code: string; message: string } | undefined;
      if (error !== undefined) throw new Error(`${method}: ${error.code}: ${error.message}`);
      return answer["result"] as Readonly<Record<string, unknown>>;
    },
    read: async (stream) => {
      await welcomed();
      sub += 1;
      send({ type: "subscribe", stream, sub, from: "start" });
      await message((one) => one.type === "subscribed" && one["stream"] === stream, `subscribed ${stream}`);
      const found = streams.get(stream);
      if (found === undefined) throw new Error(`${stream} was subscribed and is not kept`);
      return found;
    },
    close: async () => {
      socket.close(1000);
      await waitFor(() => closed, { msMax: answerMsMax, what: "the socket's close" });
    },
  };
}

/** An upgrade that was answered by HTTP. */
export class UpgradeRefused extends Error {
  override readonly name = "UpgradeRefused";
  readonly status: number;
  constructor(status: number) {
    super(`the upgrade was answered ${status}`);
    this.status = status;
  }
}

/** OP-2, with further fields or others in their place. */
export function plainHello(fields: Readonly<Record<string, unknown>> = {}): Message {
  return {
    type: "hello",
    protocol: 1,
    instance: randomUUID(),
    attempt: 1,
    client: { name: "plain", version: "0" },
    visible: true,
    ...fields,
  };
}

function subscriptionsOf({ subscribe }: PlainOptions): Readonly<Record<string, unknown>> {
  return subscribe === undefined ? {} : { subscribe };
}

/** Keeps a stream's events, and throws where they are not the next ones. */
function apply(streams: Map<string, PlainStream>, message: Message): void {
  const name = message["stream"] as string;
  if (message.type === "subscribed") {
    streams.set(name, { epoch: message["epoch"] as string, events: [], head: message["head"] as number });
  }
  const stream = streams.get(name);
  if (message.type !== "events" || stream === undefined) return;
  let next = message["offset"] as number;
  for (const one of message["events"] as readonly Message[]) {
    const offset = (one["offset"] as number | undefined) ?? next;
    const through = (one["through"] as number | undefined) ?? offset;
    const last = stream.events.at(-1)?.through;
    if (last !== undefined && offset !== last + 1) throw new Error(`${name}: ${offset} after ${last}`);
    stream.events.push({ offset, through, event: one["event"] as string, data: one["data"] as PlainEvent["data"] });
    next = through + 1;
  }
  stream.head = message["head"] as number;
}

/** RFC 9562 section 5.7, made at `now`, ms since 1970: this machine's clock where absent. */
export function uuidv7(now = Date.now()): string {
  const time = now.toString(16).padStart(12, "0");
  const random = randomBytes(10).toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}
