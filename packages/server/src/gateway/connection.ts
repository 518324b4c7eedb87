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
import {
  type AgentIdentity,
  type ClientMessage,
  closeCodes,
  type ErrorBody,
  type Hello,
  limits,
  ProtocolError,
  type Publish,
  unreachable,
  type Welcome,
} from "@holdfast/protocol";
import type { Principal } from "../plugin.ts";
import type { PublishOutcome } from "../store/port.ts";
import type { GatewayContext } from "./context.ts";
import { createFlow, type Flow } from "./flow.ts";
import { judgeMessage, parseFrame } from "./inbound.ts";
import { type Admitted, credentialsOf, type Denied, judgeHello, type UpgradeCredentials } from "./opening.ts";
import { createRequests, type Requests } from "./requests.ts";
import type { ServerSocket, ServerSocketEvents } from "./serverSocket.ts";
import { createSubscriptions, type Subscriptions } from "./subscriptions.ts";
import { createWriter } from "./writer.ts";

export type ConnectionState =
  | { readonly kind: "opening"; readonly since: number }
  | { readonly kind: "verifying"; readonly since: number }
  | Open
  | { readonly kind: "closing"; readonly code: number; readonly reason: string }
  | { readonly kind: "closed" };

export interface Open {
  readonly kind: "open";
  readonly hello: Hello;
  readonly principal: Principal;
  readonly agent: AgentIdentity | undefined;
  readonly subscriptions: Subscriptions;
  readonly requests: Requests;
  /** When the credential ends, and whether the client was told that it will (AU-7). */
  expiresAt: number | undefined;
  expiryTold: boolean;
  visible: boolean;
}

export interface Connection {
  readonly id: string;
  readonly state: ConnectionState;
  /** Monotonic ms of the last inbound frame. */
  readonly heardAt: number;
  readonly flow: Flow;
  readonly events: ServerSocketEvents;
  send(message: Parameters<ReturnType<typeof createWriter>["send"]>[0]): void;
  /** `bye`, then the close frame with the same code, then the end of TCP 2 s later (CL-1). */
  close(code: number, reason: string, extras?: { reconnect?: boolean; retryAfter?: number }): void;
}

export interface ConnectionOptions {
  readonly context: GatewayContext;
  readonly id: string;
  readonly socket: ServerSocket;
  readonly upgrade: UpgradeCredentials;
  readonly address: string;
  readonly opened: (connection: Connection, open: Open) => void;
  readonly closed: (connection: Connection) => void;
}

const closeCodesWithoutReturn: ReadonlySet<number> = new Set([
  closeCodes.badMessage,
  closeCodes.forbidden,
  closeCodes.fenced,
]);

export function createConnection({
  context,
  id,
  socket,
  upgrade,
  address,
  opened,
  closed,
}: ConnectionOptions): Connection {
  const { clock, log, heartbeat } = context;
  const writer = createWriter(socket);
  const flow = createFlow(socket, clock, () => writer.unsentBytes);
  const openedAt = clock.monotonic();
  let state: ConnectionState = { kind: "opening", since: openedAt };
  let heardAt = openedAt;
  let polite = false;
  /** Monotonic times of the last errors (TR-4). */
  let errorsAt: number[] = [];

  const close: Connection["close"] = (code, reason, extras = {}) => {
    if (state.kind === "closing" || state.kind === "closed") return;
    leaveOpen(state);
    state = { kind: "closing", code, reason };
    const reconnect = extras.reconnect ?? !closeCodesWithoutReturn.has(code);
    writer.send({
      type: "bye",
      code,
      reason,
      reconnect,
      ...(extras.retryAfter === undefined ? {} : { retryAfter: extras.retryAfter }),
    });
    writer.flush();
    socket.close(code, reason);
    clock.after(limits.endTcpAfterMs, () => socket.terminate());
  };

  /** What an open connection holds is given back, once, whichever way it ends. */
  const leaveOpen = (from: ConnectionState): void => {
    flow.end();
    if (from.kind !== "open") return;
    from.subscriptions.end();
    const { agent, principal } = from;
    if (agent === undefined) return;
    for (const runtime of context.runtimes)
      runtime.agentDisconnected({ id: agent.id, workspace: principal.workspace, connection: id, polite });
  };

  const complain = (error: ErrorBody): void => {
    const now = clock.monotonic();
    errorsAt = [...errorsAt.filter((at) => at > now - limits.errorsWindowMs), now];
    writer.send({ type: "error", ...error });
    if (errorsAt.length >= limits.errorsBeforeClose)
      close(closeCodes.badMessage, `${errorsAt.length} bad messages within ${limits.errorsWindowMs} ms`);
  };

  const open = (hello: Hello, admitted: Admitted): void => {
    const { principal, agent, expiresAt } = admitted;
    const next: Open = {
      kind: "open",
      hello,
      principal,
      agent,
      subscriptions: createSubscriptions(context, principal, writer),
      requests: createRequests(context, principal),
      expiresAt,
      expiryTold: false,
      visible: hello.visible,
    };
    state = next;
    writer.send(welcomeOf(context, id, admitted));
    for (const asked of hello.subscribe ?? []) next.subscriptions.subscribe(asked);
    opened(connection, next);
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
    const verdict = await judgeHello(context, id, hello, upgrade).catch((error: unknown): Denied => {
      log.error("connection.verdict_failed", { connection: id, error });
      return { kind: "denied", code: closeCodes.unavailable, reason: "internal", retryAfter: 5_000 };
    });
    if (state.kind !== "verifying") return;
    if (verdict.kind === "admitted") open(hello, verdict);
    else
      close(verdict.code, verdict.reason, verdict.retryAfter === undefined ? {} : { retryAfter: verdict.retryAfter });
  };

  const beforeWelcome = (elements: readonly unknown[]): void => {
    const judged = elements.length === 1 ? judgeMessage(elements[0]) : undefined;
    if (state.kind !== "opening" || judged?.kind !== "message" || judged.message.type !== "hello") {
      const problem = judged?.kind === "error" ? judged.error.message : "only one hello is heard before welcome";
      close(closeCodes.badMessage, problem);
      return;
    }
    state = { kind: "verifying", since: clock.monotonic() };
    void verify(judged.message);
  };

  const handle = (current: Open, message: ClientMessage): void => {
    switch (message.type) {
      case "hello":
        complain(new ProtocolError("bad_message", "hello was said already", { about: { type: "hello" } }).toBody());
        return;
      case "ping":
        current.visible = message.visible;
        writer.send({ type: "pong", n: message.n });
        return;
      case "subscribe":
        current.subscriptions.subscribe(message);
        return;
      case "unsubscribe":
        current.subscriptions.unsubscribe(message.stream);
        return;
      case "request":
        request(current, message);
        return;
      case "publish":
        publish(current, message);
        return;
      case "ack":
        acknowledge(current, message.stream, { epoch: message.epoch, offset: message.offset });
        return;
      case "signal":
        writer.send({
          type: "refused",
          of: "signal",
          stream: message.stream,
          error: new ProtocolError("forbidden", "this server carries no signals").toBody(),
        });
        return;
      case "auth":
        void authenticate(current, message.token);
        return;
      case "leave":
        polite = true;
        return;
      default:
        unreachable(message);
    }
  };

  const request = (current: Open, message: Extract<ClientMessage, { type: "request" }>): void => {
    if (isExpired(current)) {
      writer.send({ type: "response", id: message.id, error: expiredError().toBody() });
      return;
    }
    flow.requestBegan();
    current.requests.handle(message, (outcome) => {
      flow.requestEnded();
      writer.send(
        outcome.ok
          ? { type: "response", id: message.id, result: outcome.value ?? null }
          : { type: "response", id: message.id, error: outcome.error },
      );
    });
  };

  const publish = (current: Open, message: Publish): void => {
    const { stream, producer, sequence, events } = message;
    const refuse = (error: ErrorBody): void =>
      writer.send({ type: "refused", of: "publish", stream, producer, sequence, error });
    if (isExpired(current)) return refuse(expiredError().toBody());
    if (context.family(stream)?.publish === undefined)
      return refuse(new ProtocolError("forbidden", `nobody may publish to "${stream}"`).toBody());
    const bytes = JSON.stringify(events).length;
    flow.publishBegan(bytes);
    const generation = current.agent?.generation;
    const operation = {
      kind: "publish" as const,
      caller: current.principal,
      stream,
      producer,
      sequence,
      events,
      ...(generation === undefined ? {} : { generation }),
    };
    context.committer.submit(operation, (outcome) => {
      flow.publishEnded(bytes);
      if (!outcome.ok) return refuse(outcome.error);
      const value = outcome.value as PublishOutcome;
      const rejected = value.rejected.length === 0 ? {} : { rejected: [...value.rejected] };
      writer.send({ type: "published", stream, producer, sequence: value.sequence, ...rejected });
    });
  };

  const acknowledge = (current: Open, stream: string, cursor: { epoch: string; offset: number }): void => {
    const family = context.family(stream);
    if (family?.inbox !== true || !family.mayRead(current.principal, stream)) {
      complain(
        new ProtocolError("forbidden", `"${stream}" is not this agent's inbox`, {
          about: { type: "ack", stream },
        }).toBody(),
      );
      return;
    }
    context.committer.submit({ kind: "ack", workspace: current.principal.workspace, stream, cursor }, (outcome) => {
      if (!outcome.ok) log.warn("inbox.ack_failed", { connection: id, stream, code: outcome.error.code });
    });
  };

  /** AU-7: a fresh credential for the same identity, in the session. */
  const authenticate = async (current: Open, token: string | undefined): Promise<void> => {
    const fresh = { instance: current.hello.instance, ...(token === undefined ? {} : { token }) };
    const verdict = await context.authenticator.verify(credentialsOf(fresh, token === undefined ? upgrade : {}));
    if (state !== current) return;
    if (verdict.kind === "unavailable") {
      writer.send({
        type: "error",
        ...new ProtocolError("auth_unavailable", verdict.reason, { retryAfter: verdict.retryAfter }).toBody(),
      });
      return;
    }
    if (verdict.kind !== "accepted" || !isLater(verdict.expiresAt, current.expiresAt)) {
      writer.send({
        type: "error",
        ...new ProtocolError("auth_failed", "the credential ends no later than the one in use").toBody(),
      });
      return;
    }
    const isSame =
      current.agent !== undefined
        ? verdict.principal.key?.id === current.principal.key?.id
        : verdict.principal.id === current.principal.id;
    if (!isSame || verdict.principal.workspace !== current.principal.workspace) {
      close(closeCodes.forbidden, "another user's credential");
      return;
    }
    current.expiresAt = verdict.expiresAt;
    current.expiryTold = false;
    writer.send({
      type: "authenticated",
      ...(verdict.expiresAt === undefined ? {} : { expiresAt: verdict.expiresAt }),
    });
  };

  const isExpired = (current: Open): boolean => current.expiresAt !== undefined && clock.now() >= current.expiresAt;

  const text = (frame: string, bytes: number): void => {
    if (state.kind === "closing" || state.kind === "closed") return;
    heardAt = clock.monotonic();
    if (state.kind !== "open" && bytes > limits.frameBeforeWelcomeBytesMax)
      return close(closeCodes.tooBig, `a frame before welcome has at most ${limits.frameBeforeWelcomeBytesMax} bytes`);
    const elements = parseFrame(frame);
    if (state.kind !== "open")
      return elements === undefined
        ? close(closeCodes.badMessage, "a frame is a JSON array of messages")
        : beforeWelcome(elements);
    if (elements === undefined)
      return complain(
        new ProtocolError("bad_message", "a frame is a JSON array of messages", { details: { field: "" } }).toBody(),
      );
    for (const element of elements) {
      // A message may have closed the connection: what follows it is not heard.
      const current: ConnectionState = state;
      if (current.kind !== "open") return;
      flow.message();
      const judged = judgeMessage(element);
      if (judged.kind === "message") handle(current, judged.message);
      else if (judged.kind === "answer") writer.send(judged.answer);
      else complain(judged.error);
    }
  };

  const guard = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      log.error("connection.failed", { connection: id, error });
      close(closeCodes.internal, "internal");
    }
  };

  const connection: Connection = {
    id,
    get state() {
      return state;
    },
    get heardAt() {
      return heardAt;
    },
    flow,
    send: (message) => writer.send(message),
    close,
    events: {
      text: (frame, bytes) => guard(() => text(frame, bytes)),
      binary: () => close(closeCodes.unsupportedData, "frames are text"),
      drained: () =>
        guard(() => {
          flow.update();
          if (state.kind === "open") state.subscriptions.drained();
        }),
      closed: (code, reason) => {
        const before = state;
        if (before.kind === "closed") return;
        leaveOpen(before);
        state = { kind: "closed" };
        closed(connection);
        const ours = before.kind === "closing" ? { code: before.code, reason: before.reason } : { code, reason };
        log.info("connection.closed", {
          connection: id,
          ...ours,
          durationMs: Math.round(clock.monotonic() - openedAt),
          messagesSent: writer.messagesSent,
          bytesSent: writer.bytesSent,
          heartbeatMs: heartbeat.interval,
        });
      },
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

function expiredError(): ProtocolError {
  return new ProtocolError("unauthenticated", "the credential has ended; send auth with a fresh one");
}

function isLater(next: number | undefined, current: number | undefined): boolean {
  return next === undefined || (current !== undefined && next > current);
}
