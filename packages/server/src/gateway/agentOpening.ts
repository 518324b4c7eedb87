/**
 * The opening of an agent: its name and generation come from the store (OP-6, OP-7).
 *
 * Life cycle: judged by what needs no store (key, `expect`) → registered, which fences older processes → admitted
 * with its identity; or, where the store does not answer, admitted without one, and named as soon as it does.
 * Invariants: an agent that is not named yet reads and writes nothing (it buffers); a registration that comes after
 * its connection has ended leaves nobody online (F58).
 */
import { type AgentIdentity, closeCodes, type Hello, ProtocolError } from "@holdfast/protocol";
import type { Verdict } from "../auth/verdict.ts";
import type { AgentHello, AgentWelcome, Principal } from "../plugin.ts";
import type { GatewayContext } from "./context.ts";
import { type Admitted, admit, type Denied, denied, type Naming } from "./judgement.ts";
import { principalKey } from "./occupants.ts";
import { tellRuntimes } from "./tellRuntimes.ts";

/** So long an opening waits for the store; then the agent is named later. */
const namingMsMax = 2_000;
/** A registration that failed before the breaker opened is tried again so much later. */
const registerAgainMs = 1_000;

type Accepted = Extract<Verdict, { kind: "accepted" }>;

export async function admitAgent(
  context: GatewayContext,
  connection: string,
  hello: Hello,
  verdict: Accepted,
): Promise<Admitted | Denied> {
  const claims = hello.agent;
  if (claims === undefined) throw new TypeError("a hello without `agent` is no agent's");
  const { workspace, key } = verdict.principal;
  // OP-5: before anything is registered. An agent that holds state knows its id.
  if (hello.expect !== undefined && (hello.expect.user !== claims.id || hello.expect.workspace !== workspace))
    return denied(closeCodes.identityChanged, "identity_changed");
  const open = context.mode === "development" && key === undefined;
  if (key === undefined && !open) return denied(closeCodes.forbidden, "an agent needs an API key");
  const crowded =
    claims.id === undefined ? undefined : context.admission.wouldRefuse(principalKey(workspace, claims.id));
  if (crowded !== undefined) return denied(crowded.code, crowded.reason, crowded);
  const { instance, attempt } = hello;
  const { node } = context;
  const asked = { caller: verdict.principal, hello: claims, instance, attempt, connection, node, open };
  return register(context, hello, verdict, asked);
}

/** The verdict when the store has given one, or without an identity when it does not for now. */
function register(
  context: GatewayContext,
  hello: Hello,
  verdict: Accepted,
  asked: AgentHello,
): Promise<Admitted | Denied> {
  const { clock } = context;
  return new Promise((resolve) => {
    let named: Admitted | Denied | undefined;
    let told: ((named: Admitted | Denied) => void) | undefined;
    let cancel = (): void => {};
    const naming: Naming = {
      onNamed(listener) {
        told = listener;
        if (named !== undefined) listener(named);
      },
      cancel: () => cancel(),
    };
    const admitUnnamed = (): void => {
      clock.cancel(timer);
      resolve({ ...admitted(verdict, agentOf(verdict.principal, asked.hello), undefined), naming });
    };
    const timer = clock.after(namingMsMax, admitUnnamed);
    cancel = submitHello(context, verdict.principal.workspace, asked, {
      answered(outcome) {
        clock.cancel(timer);
        named = judge(context, hello, verdict, outcome);
        resolve(named);
        told?.(named);
      },
      waits: admitUnnamed,
    });
  });
}

/** Submits until the store has answered. Gives back the end of it. */
function submitHello(
  context: GatewayContext,
  workspace: string,
  hello: AgentHello,
  hear: { answered(outcome: AgentIdentity | ProtocolError): void; waits(): void },
): () => void {
  let over = false;
  let forget = (): void => {};
  const attempt = (): void => {
    context.committer.submit({ kind: "agentHello", workspace, hello }, (outcome) => {
      if (outcome.ok) {
        const { identity } = outcome.value as AgentWelcome;
        // Older processes are fenced before any event of the same commit is delivered.
        const { id, generation } = identity;
        context.occupants.fence(workspace, id, generation, context.clock.monotonic(), hello.connection);
        if (over) disconnect(context, { id: identity.id, workspace }, hello.connection);
        else hear.answered(identity);
        over = true;
      } else if (!over && outcome.error.code === "store_unavailable") {
        forget = whenStoreMayAnswer(context, attempt);
        hear.waits();
      } else if (!over) {
        over = true;
        hear.answered(ProtocolError.fromBody(outcome.error));
      }
    });
  };
  attempt();
  return () => {
    over = true;
    forget();
  };
}

/** At the store's return; a moment later where its breaker has not opened. */
function whenStoreMayAnswer({ health, clock }: GatewayContext, run: () => void): () => void {
  if (health.degraded === undefined) {
    const timer = clock.after(registerAgainMs, run);
    return () => clock.cancel(timer);
  }
  const forget = health.onRecovered(() => {
    forget();
    run();
  });
  return forget;
}

function judge(
  context: GatewayContext,
  hello: Hello,
  verdict: Accepted,
  outcome: AgentIdentity | ProtocolError,
): Admitted | Denied {
  if (outcome instanceof ProtocolError) return denialOf(context, outcome);
  const { workspace } = verdict.principal;
  const registered = { id: outcome.id, workspace };
  // AD-1: an agent, not its key.
  const crowded = context.admission.charge(principalKey(workspace, outcome.id));
  if (crowded !== undefined) return { ...denied(crowded.code, crowded.reason, crowded), registered };
  const principal = agentOf(verdict.principal, outcome);
  const judged = admit(hello, admitted(verdict, principal, outcome));
  return judged.kind === "admitted" ? judged : { ...judged, registered };
}

function denialOf({ admission }: GatewayContext, error: ProtocolError): Denied {
  if (error.code === "fenced") return denied(closeCodes.fenced, "fenced");
  if (!error.retryable) return denied(closeCodes.forbidden, error.message);
  return denied(closeCodes.unavailable, error.code, admission.promise(error.retryAfter));
}

function admitted(verdict: Accepted, principal: Principal, agent: AgentIdentity | undefined): Admitted {
  const { expiresAt, credential } = verdict;
  return { kind: "admitted", principal, expiresAt, credential, agent };
}

/** OP-6: on an agent's connection the identity is the agent; before it has a name, what it claims, for display. */
function agentOf(
  { workspace, temporary, key }: Principal,
  { id, name }: { readonly id?: string | undefined; readonly name: string },
): Principal {
  return {
    kind: "agent",
    id: id ?? name,
    name,
    role: "agent",
    workspace,
    temporary,
    ...(key === undefined ? {} : { key }),
  };
}

/** F58: it is in the store as online by a connection that is gone, or will not open. */
function disconnect(
  context: GatewayContext,
  registered: { readonly id: string; readonly workspace: string },
  connection: string,
): void {
  tellRuntimes(context, (runtime) => runtime.agentDisconnected({ ...registered, connection, polite: false }));
}
