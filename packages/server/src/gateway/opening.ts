/**
 * The verdict on a `hello`: who this is, or why not (sections 3 and 4). Pure of sockets: it returns what to
 * answer, the connection answers.
 */
import { type AgentIdentity, closeCodes, type Hello, limits, ProtocolError } from "@holdfast/protocol";
import { type Credentials, developmentUserId, type Verdict } from "../auth/verdict.ts";
import type { AgentHello, AgentWelcome, Principal } from "../plugin.ts";
import type { GatewayContext } from "./context.ts";

const crowdedRetryAfterMs = 10_000;

type Accepted = Extract<Verdict, { kind: "accepted" }>;

export interface Admitted {
  readonly kind: "admitted";
  readonly principal: Principal;
  readonly expiresAt: number | undefined;
  readonly credential: string | undefined;
  readonly agent: AgentIdentity | undefined;
}

export interface Denied {
  readonly kind: "denied";
  /** The agent whose `hello` is in the store already: it is online by this connection, which will not open. */
  readonly registered?: { readonly id: string; readonly workspace: string };
  readonly code: number;
  readonly reason: string;
  readonly retryAfter?: number;
}

/** What the upgrade request carried (AU-1). */
export interface UpgradeCredentials {
  readonly token?: string;
  readonly cookie?: string;
  readonly browser?: string;
  readonly cookies?: string;
  /** Two different explicit ones: closed 4400 at once. */
  readonly ambiguous?: boolean;
}

export async function judgeHello(
  context: GatewayContext,
  connection: string,
  hello: Hello,
  upgrade: UpgradeCredentials,
): Promise<Admitted | Denied> {
  if (hello.protocol !== limits.protocolVersion) {
    const range = `${limits.protocolVersion}…${limits.protocolVersion}`;
    return {
      kind: "denied",
      code: closeCodes.badMessage,
      reason: `unsupported_protocol: ${hello.protocol} is not in ${range}`,
    };
  }
  if (hello.token !== undefined && upgrade.token !== undefined && hello.token !== upgrade.token) {
    return { kind: "denied", code: closeCodes.badMessage, reason: "ambiguous_credentials" };
  }
  const verdict = await context.authenticator.verify(credentialsOf(hello, upgrade));
  if (verdict.kind !== "accepted") return denialOf(verdict);
  if (hello.agent === undefined && isCrowded(context, verdict.principal)) {
    return {
      kind: "denied",
      code: closeCodes.tooMany,
      reason: "too many connections",
      retryAfter: crowdedRetryAfterMs,
    };
  }
  if (hello.agent === undefined) return admit(hello, verdict.principal, verdict, undefined);
  return admitAgent(context, connection, hello, verdict);
}

/** Credentials for `auth`: the same judgement, without a `hello` (AU-7). */
export function credentialsOf(
  hello: Pick<Hello, "token" | "instance" | "expect">,
  upgrade: UpgradeCredentials,
): Credentials {
  const token = hello.token ?? upgrade.token;
  // AU-6: who came first without a browser's cookie stays who it is when it has one.
  const isKnownByInstance = hello.expect?.user === developmentUserId(hello.instance);
  return {
    ...(token === undefined ? {} : { token }),
    ...(upgrade.cookie === undefined ? {} : { cookie: upgrade.cookie }),
    ...(upgrade.browser === undefined || isKnownByInstance ? {} : { browser: upgrade.browser }),
    ...(upgrade.cookies === undefined ? {} : { cookies: upgrade.cookies }),
    instance: hello.instance,
  };
}

async function admitAgent(
  context: GatewayContext,
  connection: string,
  hello: Hello,
  verdict: Accepted,
): Promise<Admitted | Denied> {
  const claims = hello.agent;
  if (claims === undefined) return admit(hello, verdict.principal, verdict, undefined);
  const { workspace, temporary } = verdict.principal;
  // OP-5: before anything is registered. An agent that holds state knows its id.
  if (hello.expect !== undefined && (hello.expect.user !== claims.id || hello.expect.workspace !== workspace)) {
    return { kind: "denied", code: closeCodes.identityChanged, reason: "identity_changed" };
  }
  const open = context.mode === "development" && verdict.principal.key === undefined;
  if (verdict.principal.key === undefined && !open) {
    return { kind: "denied", code: closeCodes.forbidden, reason: "an agent needs an API key" };
  }
  try {
    const asked = { caller: verdict.principal, hello: claims, connection, open };
    const { identity } = await register(context, workspace, asked);
    const principal: Principal = {
      kind: "agent",
      id: identity.id,
      name: identity.name,
      role: "agent",
      workspace,
      temporary,
      ...(verdict.principal.key === undefined ? {} : { key: verdict.principal.key }),
    };
    const admitted = admit(hello, principal, verdict, identity);
    return admitted.kind === "admitted" ? admitted : { ...admitted, registered: { id: identity.id, workspace } };
  } catch (error) {
    return agentDenial(error);
  }
}

/** OP-7: older processes are fenced before any event of the same commit is delivered. */
function register(context: GatewayContext, workspace: string, hello: AgentHello): Promise<AgentWelcome> {
  return new Promise((resolve, reject) => {
    context.committer.submit({ kind: "agentHello", workspace, hello }, (outcome) => {
      if (!outcome.ok) {
        reject(ProtocolError.fromBody(outcome.error));
        return;
      }
      const welcome = outcome.value as AgentWelcome;
      context.occupants.fence(workspace, welcome.identity.id, welcome.identity.generation, hello.connection);
      resolve(welcome);
    });
  });
}

function agentDenial(error: unknown): Denied {
  if (!(error instanceof ProtocolError)) throw error;
  if (error.code === "fenced") return { kind: "denied", code: closeCodes.fenced, reason: "fenced" };
  if (error.retryable)
    return { kind: "denied", code: closeCodes.unavailable, reason: error.code, retryAfter: error.retryAfter ?? 1_000 };
  return { kind: "denied", code: closeCodes.forbidden, reason: error.message };
}

/** OP-5: what the client holds belongs to one user and workspace. */
function admit(
  hello: Hello,
  principal: Principal,
  { expiresAt, credential }: Accepted,
  agent: AgentIdentity | undefined,
): Admitted | Denied {
  const { expect } = hello;
  if (expect !== undefined && (expect.user !== principal.id || expect.workspace !== principal.workspace)) {
    return { kind: "denied", code: closeCodes.identityChanged, reason: "identity_changed" };
  }
  return { kind: "admitted", principal, expiresAt, credential, agent };
}

/** AD-5: at most so many connections a principal. */
function isCrowded(context: GatewayContext, { workspace, id }: Principal): boolean {
  return !context.occupants.admits(workspace, id, context.clock.monotonic(), context.heartbeat.interval);
}

function denialOf(verdict: Exclude<Verdict, { kind: "accepted" }>): Denied {
  switch (verdict.kind) {
    case "refused":
      return { kind: "denied", code: closeCodes.unauthenticated, reason: verdict.reason };
    case "forbidden":
      return { kind: "denied", code: closeCodes.forbidden, reason: verdict.reason };
    case "unavailable":
      return { kind: "denied", code: closeCodes.unavailable, reason: verdict.reason, retryAfter: verdict.retryAfter };
  }
}
