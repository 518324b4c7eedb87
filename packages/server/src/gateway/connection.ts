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
import { neighbourOf } from "../admission/address.ts";
import { isRefusal, type Opening, type Return } from "../admission/admission.ts";
import { type ConnectionRecord, isExpectedEnd, recordOf, Tally } from "../observe/connectionRecord.ts";
import type { GatewayContext } from "./context.ts";
import { createFlow, type Flow } from "./flow.ts";
import { judgeMessage, parseFrame } from "./inbound.ts";
import { type Admitted, type Denied, denied, featuresOf, type Naming, registeredBy } from "./judgement.ts";
import { createOpenConnection, type OpenConnection } from "./openConnection.ts";
import { judgeHello, type UpgradeCredentials } from "./opening.ts";
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
  readonly socket: ServerSocket;
  readonly events: ServerSocketEvents;
  send(message: ServerMessage): void;
  /** `bye`, then the close frame with the same code, then the end of TCP 2 s later (CL-1). */
  close(code: number, reason: string, comeBack?: Return): void;
}

export interface ConnectionOptions {
  readonly context: GatewayContext;
  readonly id: string;
  readonly socket: ServerSocket;
  readonly upgrade: UpgradeCredentials;
  readonly address: string;
  readonly host: ConnectionHost;
}

/** What the gateway hears of its connections; one for all of them. */
export interface ConnectionHost {
  /** It said hello or is closed: it is no longer a socket without a hello (AD-3). Idempotent. */
  spoke(connection: Connection): void;
  /** It counts from now on; `left` follows, once. */
  welcomed(): void;
  /** It has an identity: at its welcome, or when the store has named it (OP-7). */
  opened(connection: Connection, open: OpenConnection): void;
  left(connection: Connection, open: OpenConnection, livedMs: number): void;
  /** CL-3: ms over which the clients of this node spread their return. */
  spread(): number;
  /** Its socket has ended: the record of it. */
  closed(connection: Connection, record: ConnectionRecord): void;
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
/** Of a message that has no type that we know. */
const unreadable = "unreadable";
const notAnArray = "a frame is a JSON array of messages";

export function createConnection(options: ConnectionOptions): Connection {
  const { context, id, socket, upgrade, address, host } = options;
  const { clock, log, admission, observer } = context;
  const tally = new Tally();
  const writer = createWriter(socket, tally, observer);
  const flow = createFlow(socket, clock, writer, context.limits, () => guard(work));
  const openedAt = clock.monotonic();
  const sinceOpened = (): number => Math.round(clock.monotonic() - openedAt);
  let bytesBeforeWelcome = 0;
  /** Monotonic times of the last errors (TR-4). */
  let errorsAt: number[] = [];
  /** What arrived and waits for a limit (AD-5): no more than was read before the socket was paused. */
  let held: unknown[][] = [];
  let working = false;
  /** From its `hello` to its `welcome`, at the node's gate (AD-3). */
  let opening: Opening | undefined;
  let naming: Naming | undefined;
  let welcomedAt: number | undefined;
  /** What an open connection knew when it ended. */
  let past: Pick<OpenConnection, "figures" | "polite" | "principal"> | undefined;
  /** Whose credential held, though the connection was not let in. */
  let turnedAway: Denied["who"];

  const close: Connection["close"] = (code, reason, comeBack) => {
    if (connection.state.kind === "closing" || connection.state.kind === "closed") return;
    giveBack();
    connection.state = { kind: "closing", code, reason };
    const reconnect = !codesWithoutReturn.has(code);
    writer.send({ type: "bye", code, reason, reconnect, ...comeBack });
    writer.flush();
    socket.close(code, reason);
    clock.after(limits.endTcpAfterMs, () => socket.terminate());
  };

  /** What a connection holds is given back, once, whichever way it ends. */
  const giveBack = (): void => {
    flow.end();
    held = [];
    host.spoke(connection);
    opening?.end();
    naming?.cancel();
    if (connection.state.kind !== "open") return;
    const { open } = connection.state;
    open.end();
    past = { figures: open.figures, polite: open.polite, principal: open.principal };
    host.left(connection, open, clock.monotonic() - (welcomedAt ?? openedAt));
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
      address,
      hello,
      admitted,
      upgrade,
      writer,
      flow,
      complain,
      close,
      heardAt: () => connection.heardAt,
      host,
    });
    connection.state = { kind: "open", open };
    welcomedAt = clock.monotonic();
    tally.phases.welcomed = sinceOpened();
    host.welcomed();
    observer.welcomed({ connection: id, at: clock.now() - sinceOpened(), phases: tally.phases });
    opening?.welcomed();
    opening = undefined;
    const spread = host.spread();
    open.toldSpread = spread;
    writer.send(welcomeOf(context, id, admitted, spread));
    for (const asked of hello.subscribe ?? []) open.subscribe(asked);
    naming = admitted.naming;
    if (naming === undefined) host.opened(connection, open);
    else naming.onNamed((named) => guard(() => name(open, named)));
    const { principal } = admitted;
    log.info("connection.opened", {
      connection: id,
      user: principal.id,
      role: principal.role,
      address,
      client: hello.client.name,
      attempt: hello.attempt,
      openingMs: sinceOpened(),
    });
  };

  const verify = async (hello: Hello): Promise<void> => {
    const askedAt = clock.monotonic();
    const judged = await judgeHello(context, id, hello, upgrade).catch((error: unknown): Denied => {
      log.error("connection.verdict_failed", { connection: id, error });
      return denied(closeCodes.unavailable, "internal", admission.promise(internalRetryAfterMs));
    });
    guard(() => follow(hello, changedMeanwhile(judged, askedAt) ?? judged));
  };

  const follow = (hello: Hello, verdict: Admitted | Denied): void => {
    if (connection.state.kind === "verifying" && verdict.kind === "admitted") {
      welcome(hello, verdict);
      return;
    }
    // Closed meanwhile, or denied after all: an agent that was registered must not stay online by this.
    tellGone(verdict);
    if (verdict.kind === "admitted") verdict.naming?.cancel();
    if (connection.state.kind !== "verifying" || verdict.kind !== "denied") return;
    turnedAway = verdict.who;
    close(verdict.code, verdict.reason, verdict.comeBack);
  };

  const tellGone = (judged: Admitted | Denied): void => {
    const registered = registeredBy(judged);
    if (registered === undefined) return;
    const gone = { ...registered, connection: id, polite: false };
    tellRuntimes(context, (runtime) => runtime.agentDisconnected(gone));
  };

  /** OP-7: what the store says of an agent that was welcomed without it. */
  const name = (open: OpenConnection, verdict: Admitted | Denied): void => {
    const named = changedMeanwhile(verdict, clock.monotonic()) ?? verdict;
    if (connection.state.kind === "open" && named.kind === "admitted" && named.agent !== undefined) {
      open.name(named);
      host.opened(connection, open);
      return;
    }
    tellGone(named);
    if (named.kind === "denied") close(named.code, named.reason, named.comeBack);
  };

  /** AU-9, OP-7: its credential, its rights or its generation ended while the verdict was under way. */
  const changedMeanwhile = (judged: Admitted | Denied, askedAt: number): Denied | undefined => {
    if (judged.kind === "denied") return undefined;
    const { principal, credential, agent } = judged;
    const who = { workspace: principal.workspace, principal: principal.id, credential, generation: agent?.generation };
    const objection = context.occupants.objection(who, askedAt);
    if (objection === undefined) return undefined;
    const registered = registeredBy(judged);
    const refused = { ...denied(objection.code, objection.reason), who: principal };
    return registered === undefined ? refused : { ...refused, registered };
  };

  const beforeWelcome = (elements: readonly unknown[]): void => {
    const judged = elements.length === 1 ? judgeMessage(elements[0]) : undefined;
    if (connection.state.kind !== "opening" || judged?.kind !== "message" || judged.message.type !== "hello") {
      const problem = judged?.kind === "error" ? judged.error.message : "only one hello is heard before welcome";
      close(closeCodes.badMessage, problem);
      return;
    }
    const { message } = judged;
    // What is worked on for it is the opening, which has its own phases.
    heard(message.type, 0);
    host.spoke(connection);
    connection.state = { kind: "verifying", since: clock.monotonic() };
    tally.client = message.client.name;
    tally.attempt = message.attempt;
    tally.phases.hello = sinceOpened();
    context.records.hello(message.instance, message.lastClose?.statistics);
    const answer = admission.ask({
      address: neighbourOf(address),
      slot: message.slot,
      begin: () => {
        tally.phases.admitted = sinceOpened();
        void verify(message);
      },
    });
    if (isRefusal(answer)) close(answer.code, answer.reason, { retryAfter: answer.retryAfter, slot: answer.slot });
    else opening = answer;
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
    const began = clock.monotonic();
    const judged = judgeMessage(element);
    if (judged.kind === "message") open.handle(judged.message);
    else if (judged.kind === "answer") writer.send(judged.answer);
    else complain(judged.error);
    heard(judged.kind === "message" ? judged.message.type : unreadable, clock.monotonic() - began);
  };

  const heard = (type: string, handledMs: number): void => {
    tally.message(handledMs);
    observer.message(type, handledMs);
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
    tally.bytesIn += bytes;
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
    const said = before.kind === "closing" ? before : { code, reason };
    const durationMs = sinceOpened();
    const who = past?.principal ?? turnedAway;
    const record = recordOf(tally, {
      connection: id,
      node: context.node,
      at: clock.now() - durationMs,
      address,
      ...(who && { user: who.id, userName: who.name, role: who.role }),
      messagesOut: writer.messagesSent,
      bytesOut: writer.bytesSent,
      durationMs,
      code: said.code,
      reason: said.reason,
      expected: isExpectedEnd(said.code, past?.polite === true),
      ...(past?.figures && { figures: past.figures }),
    });
    host.closed(connection, record);
    observer.ended(record);
    context.records.ended(record);
    log.info("connection.closed", { ...record });
  };

  // Plain fields: a getter in an object of its own is a hidden class of its own, half a KiB a connection.
  const connection: { -readonly [Key in keyof Connection]: Connection[Key] } = {
    id,
    state: { kind: "opening", since: openedAt },
    heardAt: openedAt,
    flow,
    socket,
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

function welcomeOf(context: GatewayContext, connection: string, admitted: Admitted, spread: number): Welcome {
  const { principal, expiresAt, agent } = admitted;
  const { id, name, role, workspace, temporary } = principal;
  const { degraded } = context.health;
  return {
    type: "welcome",
    connection,
    node: context.node,
    now: context.clock.now(),
    user: { id, name, role, workspace, temporary },
    ...(expiresAt === undefined ? {} : { expiresAt }),
    heartbeat: { ...context.heartbeat },
    spread,
    limits: {
      frameBytes: limits.frameBytesMax,
      eventBytes: limits.eventBytesMax,
      requests: limits.requestsUnderWayMax,
      publishBytes: limits.publishUnderWayBytesMax,
      subscriptions: limits.subscriptionsMax,
    },
    ...(degraded === undefined ? {} : { degraded: { ...degraded } }),
    features: { ...featuresOf(admitted) },
    ...(agent === undefined ? {} : { agent }),
  };
}
