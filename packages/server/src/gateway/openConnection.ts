/**
 * What an open connection does with each message: one case a type, nothing else.
 *
 * Life cycle: made at `welcome`, ended once, whichever way the connection ends. Invariant: every message
 * that asks for something is answered once, by name; after the credential's end requests and publishes are
 * refused, and nothing else changes (AU-8). It decides no close of its own but AU-7's: the connection closes.
 */
import {
  type AgentIdentity,
  type ClientMessage,
  closeCodes,
  type DeliveryFigures,
  type ErrorBody,
  type Hello,
  ProtocolError,
  type Publish,
  type Request,
  type Signal,
  type Subscription,
  unreachable,
} from "@holdfast/protocol";
import { createRequests } from "../methods/requests.ts";
import type { Principal } from "../plugin.ts";
import type { PublishOutcome } from "../store/port.ts";
import type { GatewayContext } from "./context.ts";
import type { Flow } from "./flow.ts";
import { type Admitted, featuresOf } from "./judgement.ts";
import { endedReason, type Occupant } from "./occupants.ts";
import { credentialsOf, type UpgradeCredentials } from "./opening.ts";
import { createSignalRate, signalProblem } from "./signals.ts";
import { createSubscriptions, type Subscriptions } from "./subscriptions.ts";
import { createUnnamed } from "./unnamedAgent.ts";
import type { Writer } from "./writer.ts";

const expiringNoticeMsMax = 60_000;
/** After a fault of ours. */
const noVerdictRetryAfterMs = 5_000;

export interface OpenConnection {
  readonly principal: Principal;
  readonly agent: AgentIdentity | undefined;
  readonly subscriptions: Subscriptions;
  /** When the credential ends, ms since 1970. Sooner where its holder wants to see what becomes of that. */
  expiresAt: number | undefined;
  /** AU-7: told so long before its end: 60 s, or half its life, whichever is less. */
  readonly expiryNoticeMs: number;
  /** Whether the client was told that it will. Set by the sweep. */
  expiryTold: boolean;
  readonly visible: boolean;
  /** It said `leave` (CL-8). */
  readonly polite: boolean;
  /** CL-3: the last `spread` that it heard of. */
  toldSpread: number;
  /** ST-16: how its events arrived, as it said last: a claim for display. */
  readonly figures: DeliveryFigures | undefined;
  subscribe(asked: Subscription): void;
  /** OP-7: the store has named the agent. What it asked meanwhile goes on. */
  name(named: Admitted): void;
  handle(message: ClientMessage): void;
  end(): void;
}

export interface OpenConnectionOptions {
  readonly context: GatewayContext;
  readonly id: string;
  /** Of the client. */
  readonly address: string;
  readonly hello: Hello;
  readonly admitted: Admitted;
  readonly upgrade: UpgradeCredentials;
  readonly writer: Writer;
  readonly flow: Flow;
  /** TR-4: an `error`, counted towards the close. */
  readonly complain: (error: ProtocolError) => void;
  readonly close: (code: number, reason: string) => void;
  /** Monotonic ms of the last inbound frame. */
  readonly heardAt: () => number;
  /** CL-3: knows the ms over which a node's clients spread their return now. */
  readonly host: { spread(): number };
}

export function createOpenConnection(options: OpenConnectionOptions): OpenConnection {
  const { context, id, admitted, upgrade, writer, flow, complain, close } = options;
  const { clock, log, committer } = context;
  let { agent } = admitted;
  const { instance } = options.hello;
  /** OP-7: an agent without a name yet; what it subscribed waits. */
  const unnamed = admitted.naming === undefined ? undefined : createUnnamed(writer);
  /** Its role is read anew at `auth` (AU-7); its identity never changes. */
  let { principal } = admitted;
  const { workspace } = principal;
  /** Under which it is an occupant: who is not named yet is nobody's process, whatever it claims. */
  let place = unnamed === undefined ? admitted.principal.id : `unnamed\n${id}`;
  const subscriptions = createSubscriptions(context, () => principal, writer, featuresOf(admitted));
  const requests = createRequests(context, () => principal, options);
  let ended = false;
  const isWithinRate = createSignalRate(clock);

  const isExpired = (): boolean => connection.expiresAt !== undefined && clock.now() >= connection.expiresAt;

  const request = (message: Request): void => {
    if (isExpired() || unnamed?.waits === true) {
      const error = isExpired() ? expiredError() : context.health.refusal();
      writer.send({ type: "response", id: message.id, error: error.toBody() });
      return;
    }
    flow.requestBegan();
    requests.handle(message, (outcome) => {
      flow.requestEnded();
      const answer = outcome.ok ? { result: outcome.value ?? null } : { error: outcome.error };
      writer.send({ type: "response", id: message.id, ...answer });
    });
  };

  const publish = ({ stream, producer, sequence, events }: Publish): void => {
    const refuse = (error: ErrorBody): void =>
      writer.send({ type: "refused", of: "publish", stream, producer, sequence, error });
    if (isExpired() || unnamed?.waits === true) {
      refuse((isExpired() ? expiredError() : context.health.refusal()).toBody());
      return;
    }
    if (context.family(stream)?.publish === undefined) {
      refuse(new ProtocolError("forbidden", `nobody may publish to "${stream}"`).toBody());
      return;
    }
    const bytes = JSON.stringify(events).length;
    flow.publishBegan(bytes);
    const generation = agent === undefined ? {} : { generation: agent.generation };
    const operation = {
      kind: "publish" as const,
      caller: principal,
      stream,
      producer,
      sequence,
      events,
      ...generation,
    };
    committer.submit(operation, (outcome) => {
      flow.publishEnded(bytes);
      if (!outcome.ok) {
        refuse(outcome.error);
        return;
      }
      const { sequence: decided, rejected } = outcome.value as PublishOutcome;
      const named = rejected.length === 0 ? {} : { rejected: [...rejected] };
      writer.send({ type: "published", stream, producer, sequence: decided, ...named });
    });
  };

  const acknowledge = (stream: string, cursor: { epoch: string; offset: number }): void => {
    // Cumulative: the next one says it again (ST-16).
    if (unnamed?.waits === true) return;
    const family = context.family(stream);
    if (family?.inbox !== true || !family.mayRead(principal, stream)) {
      complain(
        new ProtocolError("forbidden", `"${stream}" is not an inbox of yours`, { about: { type: "ack", stream } }),
      );
      return;
    }
    const process = agent === undefined ? {} : { process: { agent: agent.id, generation: agent.generation } };
    committer.submit({ kind: "ack", workspace, stream, cursor, ...process }, (outcome) => {
      if (outcome.ok) return;
      log.warn("inbox.ack_failed", { connection: id, stream, error: ProtocolError.fromBody(outcome.error) });
    });
  };

  const signal = (message: Signal): void => {
    const refuse = (error: ProtocolError): void =>
      writer.send({ type: "refused", of: "signal", stream: message.stream, error: error.toBody() });
    if (unnamed?.waits === true) return;
    const problem = signalProblem(principal, message);
    if (problem !== undefined) refuse(new ProtocolError("forbidden", `signal: ${problem}`));
    else if (!subscriptions.has(message.stream) && !mayTell(context, principal, message.stream))
      refuse(new ProtocolError("not_found", `there is no stream "${message.stream}"`));
    else if (isWithinRate()) context.signals.send(workspace, { ...message, from: principal.id }, subscriptions);
  };

  /** CL-4: whom one provider keeps waiting come back one after the other. */
  const notJudged = (reason: string, leastMs: number): void => {
    const { retryAfter } = context.admission.promise(leastMs);
    writer.send({ type: "error", ...new ProtocolError("auth_unavailable", reason, { retryAfter }).toBody() });
  };

  /** AU-7: a fresh credential for the same identity, while the streams go on. */
  const authenticate = async (token: string | undefined): Promise<void> => {
    const fresh = { instance, ...(token === undefined ? {} : { token }) };
    const verdict = await context.authenticator.verify(credentialsOf(fresh, token === undefined ? upgrade : {}));
    if (ended) return;
    if (verdict.kind === "accepted" && context.occupants.hasEnded(verdict.credential)) {
      close(closeCodes.forbidden, endedReason);
      return;
    }
    if (verdict.kind === "unavailable") {
      notJudged(verdict.reason, verdict.retryAfter);
      return;
    }
    if (verdict.kind === "accepted" && !isSameIdentity(admitted, verdict.principal)) {
      close(closeCodes.forbidden, "another identity's credential");
      return;
    }
    if (verdict.kind !== "accepted" || !isLater(verdict.expiresAt, connection.expiresAt)) {
      const error = new ProtocolError("auth_failed", "the credential ends no later than the one in use");
      writer.send({ type: "error", ...error.toBody() });
      return;
    }
    const { expiresAt } = verdict;
    connection.expiresAt = expiresAt;
    connection.expiryNoticeMs = noticeMs(expiresAt, clock.now());
    if (agent === undefined) principal = verdict.principal;
    connection.principal = principal;
    occupant.credential = verdict.credential;
    subscriptions.review();
    connection.expiryTold = false;
    writer.send({ type: "authenticated", ...(expiresAt === undefined ? {} : { expiresAt }) });
  };

  /** ST-16 */
  const hearFigures = (figures: DeliveryFigures): void => {
    connection.figures = figures;
    context.records.told(options.hello.instance, figures);
    if (figures.displayLagP99Ms !== undefined) context.observer.displayLag(figures.displayLagP99Ms);
  };

  const handle = (message: ClientMessage): void => {
    switch (message.type) {
      case "hello":
        complain(new ProtocolError("bad_message", "hello was said already", { about: { type: "hello" } }));
        return;
      case "ping":
        connection.visible = message.visible;
        if (message.statistics !== undefined) hearFigures(message.statistics);
        writer.send({
          type: "pong",
          n: message.n,
          ...newSpread(connection, options.host.spread()),
          ...(context.health.degraded && { degraded: true }),
        });
        return;
      case "subscribe":
        subscribe(message);
        return;
      case "unsubscribe":
        unnamed?.drop(message.stream);
        subscriptions.unsubscribe(message.stream);
        return;
      case "request":
        request(message);
        return;
      case "publish":
        publish(message);
        return;
      case "ack":
        acknowledge(message.stream, { epoch: message.epoch, offset: message.offset });
        return;
      case "signal":
        signal(message);
        return;
      case "auth":
        authenticate(message.token).catch((error: unknown) => {
          log.error("connection.auth_failed", { connection: id, error });
          if (!ended) notJudged("no verdict", noVerdictRetryAfterMs);
        });
        return;
      case "leave":
        connection.polite = true;
        return;
      default:
        unreachable(message);
    }
  };

  // Functions that only agents without a name need are made for these alone: of each, ten thousand cost a MiB.
  const subscribe =
    unnamed === undefined
      ? subscriptions.subscribe
      : (asked: Subscription): void => (unnamed.waits ? unnamed.keep(asked) : subscriptions.subscribe(asked));

  const name =
    unnamed === undefined
      ? hasName
      : (named: Admitted): void => {
          if (named.agent === undefined || ended) return;
          agent = named.agent;
          principal = named.principal;
          connection.agent = agent;
          connection.principal = principal;
          context.occupants.leave(workspace, place, occupant);
          place = principal.id;
          occupant.generation = agent.generation;
          context.occupants.join(workspace, place, occupant);
          writer.send({ type: "agent", ...agent });
          for (const asked of unnamed.take()) subscriptions.subscribe(asked);
        };

  const occupant: Writable<Occupant> = {
    id,
    credential: admitted.credential,
    generation: agent?.generation,
    get heardAt() {
      return options.heardAt();
    },
    close,
  };

  // Plain fields: a getter in an object of its own is a hidden class of its own, half a KiB a connection.
  const connection: Writable<OpenConnection> = {
    principal: admitted.principal,
    agent,
    subscriptions,
    expiryNoticeMs: noticeMs(admitted.expiresAt, clock.now()),
    expiresAt: admitted.expiresAt,
    expiryTold: false,
    visible: options.hello.visible,
    polite: false,
    toldSpread: 0,
    figures: options.hello.lastClose?.statistics,
    subscribe,
    name,
    handle,
    end() {
      ended = true;
      subscriptions.end();
      context.occupants.leave(workspace, place, occupant);
    },
  };
  context.occupants.join(workspace, place, occupant);
  return connection;
}

const hasName = (): void => {};

/** LV-1: told where it has changed. */
function newSpread(connection: OpenConnection, spread: number): { spread?: number } {
  if (spread === connection.toldSpread) return {};
  connection.toldSpread = spread;
  return { spread };
}

type Writable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

function expiredError(): ProtocolError {
  return new ProtocolError("unauthenticated", "the credential has ended; send auth with a fresh one");
}

function noticeMs(expiresAt: number | undefined, now: number): number {
  return expiresAt === undefined ? 0 : Math.min(expiringNoticeMsMax, (expiresAt - now) / 2);
}

function isLater(next: number | undefined, current: number | undefined): boolean {
  return next === undefined || (current !== undefined && next > current);
}

/** ST-17: who does not read a stream signals it only where its family says so. */
function mayTell(context: GatewayContext, principal: Principal, stream: string): boolean {
  return context.family(stream)?.maySignal?.(principal, stream) === true;
}

/** An agent is known by its key, a person by their id. */
function isSameIdentity({ principal, agent }: Admitted, fresh: Principal): boolean {
  if (fresh.workspace !== principal.workspace) return false;
  return agent === undefined ? fresh.id === principal.id : fresh.key?.id === principal.key?.id;
}
