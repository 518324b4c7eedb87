/**
 * One connection: from the upgrade to the close.
 *
 *   opening ──hello──▶ verifying ──welcome──▶ open ──bye──▶ closing ──▶ closed
 *      └────────────────────┴── any refusal: bye, then the close code (CL-1) ──▶
 *
 * Every frame enters by {@link Connection.events}`.text`, which guards it: a message is judged before it has
 * an effect, and what goes wrong inside becomes an answer or a close, never an uncaught error. Invariant:
 * nothing but `hello` is heard before `welcome` (OP-1); after `bye` nothing is heard at all. A connection
 * knows no SQL, no agents' rules and no commands.
 */
import { closeCodes, type Hello, limits, ProtocolError, type ServerMessage, type Welcome } from "@holdfast/protocol";
import type { GatewayContext } from "./context.ts";
import { createFlow, type Flow } from "./flow.ts";
import { judgeMessage, parseFrame } from "./inbound.ts";
import { endedReason } from "./occupants.ts";
import { createOpenConnection, type OpenConnection } from "./openConnection.ts";
import { type Admitted, type Denied, judgeHello, type UpgradeCredentials } from "./opening.ts";
import type { ServerSocket, ServerSocketEvents } from "./serverSocket.ts";
import { tellRuntimes } from "./tellRuntimes.ts";
import { createWriter } from "./writer.ts";

export type ConnectionState =
  | { readonly kind: "opening"; readonly since: number }
  | { readonly kind: "verifying"; readonly since: number }
  | { readonly kind: "open"; readonly open: OpenConnection }
  | { readonly kind: "closing"; readonly code: number; readonly reason: string }
  | { readonly kind: "closed" };

export interface Connection {
  readonly id: string;
  readonly state: ConnectionState;
  /** Monotonic ms of the last inbound frame. */
  readonly heardAt: number;
  readonly flow: Flow;
  readonly events: ServerSocketEvents;
  send(message: ServerMessage): void;
  /** `bye`, then the close frame with the same code, then the end of TCP 2 s later (CL-1). */
  close(code: number, reason: string, retryAfter?: number): void;
}

export interface ConnectionOptions {
  readonly context: GatewayContext;
  readonly id: string;
  readonly socket: ServerSocket;
  readonly upgrade: UpgradeCredentials;
  readonly address: string;
  readonly opened: (connection: Connection, open: OpenConnection) => void;
  readonly closed: (connection: Connection) => void;
}

const codesWithoutReturn: ReadonlySet<number> = new Set([
  closeCodes.badMessage,
  closeCodes.forbidden,
  closeCodes.fenced,
]);
/** TR-3 on the wire: a `hello` of the limit, its frame's header, and some control frames. */
const bytesBeforeWelcomeMax = limits.frameBeforeWelcomeBytesMax + 1_024;
const internalRetryAfterMs = 5_000;
const tooBigBeforeWelcome = `a frame before welcome has at most ${limits.frameBeforeWelcomeBytesMax} bytes`;
const notAnArray = "a frame is a JSON array of messages";

export function createConnection(options: ConnectionOptions): Connection {
  const { context, id, socket, upgrade, address, opened, closed } = options;
  const { clock, log } = context;
  const writer = createWriter(socket);
  const flow = createFlow(socket, clock, writer, context.limits, () => guard(work));
  const openedAt = clock.monotonic();
  let bytesBeforeWelcome = 0;
  /** Monotonic times of the last errors (TR-4). */
  let errorsAt: number[] = [];
  /** What arrived and waits for a limit (AD-5): no more than was read before the socket was paused. */
  let held: unknown[][] = [];
  let working = false;

  const close: Connection["close"] = (code, reason, retryAfter) => {
    if (connection.state.kind === "closing" || connection.state.kind === "closed") return;
    giveBack();
    connection.state = { kind: "closing", code, reason };
    const reconnect = !codesWithoutReturn.has(code);
    writer.send({ type: "bye", code, reason, reconnect, ...(retryAfter === undefined ? {} : { retryAfter }) });
    writer.flush();
    socket.close(code, reason);
    clock.after(limits.endTcpAfterMs, () => socket.terminate());
  };

  /** What a connection holds is given back, once, whichever way it ends. */
  const giveBack = (): void => {
    flow.end();
    held = [];
    if (connection.state.kind !== "open") return;
    const { open } = connection.state;
    open.end();
    if (open.agent === undefined) return;
    const gone = { id: open.agent.id, workspace: open.principal.workspace, connection: id, polite: open.polite };
    tellRuntimes(context, (runtime) => runtime.agentDisconnected(gone));
  };

  const complain = (error: ProtocolError): void => {
    const now = clock.monotonic();
    errorsAt = [...errorsAt.filter((at) => at > now - limits.errorsWindowMs), now];
    writer.send({ type: "error", ...error.toBody() });
    if (errorsAt.length < limits.errorsBeforeClose) return;
    close(closeCodes.badMessage, `${errorsAt.length} bad messages within ${limits.errorsWindowMs} ms`);
  };

  const welcome = (hello: Hello, admitted: Admitted): void => {
    const open = createOpenConnection({
      context,
      id,
      hello,
      admitted,
      upgrade,
      writer,
      flow,
      complain,
      close,
      heardAt: () => connection.heardAt,
    });
    connection.state = { kind: "open", open };
    writer.send(welcomeOf(context, id, admitted));
    for (const asked of hello.subscribe ?? []) open.subscriptions.subscribe(asked);
    opened(connection, open);
    const { principal } = admitted;
    log.info("connection.opened", {
      connection: id,
      user: principal.id,
      role: principal.role,
      address,
      client: hello.client.name,
      attempt: hello.attempt,
      openingMs: Math.round(clock.monotonic() - openedAt),
    });
  };

  const verify = async (hello: Hello): Promise<void> => {
    const judged = await judgeHello(context, id, hello, upgrade).catch((error: unknown): Denied => {
      log.error("connection.verdict_failed", { connection: id, error });
      return { kind: "denied", code: closeCodes.unavailable, reason: "internal", retryAfter: internalRetryAfterMs };
    });
    guard(() => follow(hello, endedMeanwhile(judged) ?? judged));
  };

  const follow = (hello: Hello, verdict: Admitted | Denied): void => {
    if (connection.state.kind === "verifying" && verdict.kind === "admitted") {
      welcome(hello, verdict);
      return;
    }
    // Closed meanwhile, or denied after all: an agent that was registered must not stay online by this.
    const registered = verdict.kind === "denied" ? verdict.registered : agentOf(verdict);
    if (registered !== undefined) {
      const gone = { ...registered, connection: id, polite: false };
      tellRuntimes(context, (runtime) => runtime.agentDisconnected(gone));
    }
    if (connection.state.kind === "verifying" && verdict.kind === "denied")
      close(verdict.code, verdict.reason, verdict.retryAfter);
  };

  /** AU-9: its credential ended while the verdict was under way. */
  const endedMeanwhile = (judged: Admitted | Denied): Denied | undefined => {
    if (judged.kind === "denied" || !context.occupants.hasEnded(judged.credential)) return undefined;
    const registered = agentOf(judged);
    const denied = { kind: "denied", code: closeCodes.forbidden, reason: endedReason } as const;
    return registered === undefined ? denied : { ...denied, registered };
  };

  const beforeWelcome = (elements: readonly unknown[]): void => {
    const judged = elements.length === 1 ? judgeMessage(elements[0]) : undefined;
    if (connection.state.kind !== "opening" || judged?.kind !== "message" || judged.message.type !== "hello") {
      const problem = judged?.kind === "error" ? judged.error.message : "only one hello is heard before welcome";
      close(closeCodes.badMessage, problem);
      return;
    }
    connection.state = { kind: "verifying", since: clock.monotonic() };
    void verify(judged.message);
  };

  const afterWelcome = (elements: unknown[]): void => {
    // An empty frame is work too.
    if (elements.length === 0) flow.message();
    held.push(elements.reverse());
    work();
  };

  /** One element after the other, as long as no limit is passed and none has closed the connection. */
  const work = (): void => {
    if (working) return;
    working = true;
    try {
      while (connection.state.kind === "open" && flow.pausedSince === undefined && held.length > 0) {
        const [frame = []] = held;
        if (frame.length === 0) held.shift();
        else handle(connection.state.open, frame.pop());
      }
    } finally {
      working = false;
    }
  };

  const handle = (open: OpenConnection, element: unknown): void => {
    flow.message();
    const judged = judgeMessage(element);
    if (judged.kind === "message") open.handle(judged.message);
    else if (judged.kind === "answer") writer.send(judged.answer);
    else complain(judged.error);
  };

  const hear = (frame: string, bytes: number): void => {
    if (connection.state.kind === "closing" || connection.state.kind === "closed") return;
    connection.heardAt = clock.monotonic();
    if (connection.state.kind !== "open" && bytes > limits.frameBeforeWelcomeBytesMax) {
      close(closeCodes.tooBig, tooBigBeforeWelcome);
      return;
    }
    const elements = parseFrame(frame);
    if (connection.state.kind !== "open") {
      if (elements === undefined) close(closeCodes.badMessage, notAnArray);
      else beforeWelcome(elements);
    } else if (elements === undefined) {
      flow.message();
      complain(new ProtocolError("bad_message", notAnArray, { details: { field: "" } }));
    } else afterWelcome(elements);
  };

  /** TR-3: an unfinished frame is cut here, since who has not said hello may not make us keep a MiB. */
  const count = (bytes: number): void => {
    if (connection.state.kind !== "opening" && connection.state.kind !== "verifying") return;
    bytesBeforeWelcome += bytes;
    if (bytesBeforeWelcome <= bytesBeforeWelcomeMax) return;
    close(closeCodes.tooBig, tooBigBeforeWelcome);
    socket.pause();
  };

  const guard = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      log.error("connection.failed", { connection: id, error });
      close(closeCodes.internal, "internal");
    }
  };

  const end = (code: number, reason: string): void => {
    const before = connection.state;
    if (before.kind === "closed") return;
    giveBack();
    connection.state = { kind: "closed" };
    closed(connection);
    log.info("connection.closed", {
      connection: id,
      code: before.kind === "closing" ? before.code : code,
      reason: before.kind === "closing" ? before.reason : reason,
      durationMs: Math.round(clock.monotonic() - openedAt),
      messagesSent: writer.messagesSent,
      bytesSent: writer.bytesSent,
    });
  };

  // Plain fields: a getter in an object of its own is a hidden class of its own, half a KiB a connection.
  const connection: { -readonly [Key in keyof Connection]: Connection[Key] } = {
    id,
    state: { kind: "opening", since: openedAt },
    heardAt: openedAt,
    flow,
    send: (message) => writer.send(message),
    close,
    events: {
      bytes: count,
      text: (frame, bytes) => guard(() => hear(frame, bytes)),
      binary: () => close(closeCodes.unsupportedData, "frames are text"),
      drained: () =>
        guard(() => {
          writer.drained();
          flow.update();
          if (connection.state.kind === "open") connection.state.open.subscriptions.drained();
        }),
      closed: end,
    },
  };
  return connection;
}

function welcomeOf(context: GatewayContext, connection: string, { principal, expiresAt, agent }: Admitted): Welcome {
  const { id, name, role, workspace, temporary } = principal;
  return {
    type: "welcome",
    connection,
    node: context.node,
    now: context.clock.now(),
    user: { id, name, role, workspace, temporary },
    ...(expiresAt === undefined ? {} : { expiresAt }),
    heartbeat: { ...context.heartbeat },
    spread: 0,
    limits: {
      frameBytes: limits.frameBytesMax,
      eventBytes: limits.eventBytesMax,
      requests: limits.requestsUnderWayMax,
      publishBytes: limits.publishUnderWayBytesMax,
      subscriptions: limits.subscriptionsMax,
    },
    features: {},
    ...(agent === undefined ? {} : { agent }),
  };
}

function agentOf({ agent, principal }: Admitted): { id: string; workspace: string } | undefined {
  return agent === undefined ? undefined : { id: agent.id, workspace: principal.workspace };
}
