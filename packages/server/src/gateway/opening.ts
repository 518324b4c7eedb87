/**
 * The verdict on a `hello`: who this is, or why not (sections 3 and 4). Pure of sockets: it returns what to
 * answer, the connection answers.
 */
import { closeCodes, type Hello, limits } from "@holdfast/protocol";
import { type Credentials, developmentUserId, type Verdict } from "../auth/verdict.ts";
import type { Principal } from "../plugin.ts";
import { admitAgent } from "./agentOpening.ts";
import type { GatewayContext } from "./context.ts";
import { type Admitted, admit, type Denied, denied } from "./judgement.ts";
import { principalKey } from "./occupants.ts";

const crowdedRetryAfterMs = 10_000;

/** What the upgrade request carried (AU-1). */
export interface UpgradeCredentials {
  readonly token?: string;
  readonly cookie?: string;
  readonly browser?: string;
  readonly cookies?: string;
  /** Two different explicit ones: closed 4400 at once. */
  readonly ambiguous?: boolean;
}

/** The verdict, and with it what whoever is admitted may use. */
export async function judgeHello(
  ...asked: readonly [context: GatewayContext, connection: string, hello: Hello, upgrade: UpgradeCredentials]
): Promise<Admitted | Denied> {
  const judged = await judge(...asked);
  if (judged.kind === "denied") return judged;
  const features = asked[0].features(judged.principal);
  return { ...judged, features: features instanceof Promise ? await features : features };
}

async function judge(
  context: GatewayContext,
  connection: string,
  hello: Hello,
  upgrade: UpgradeCredentials,
): Promise<Admitted | Denied> {
  if (hello.protocol !== limits.protocolVersion) {
    const range = `${limits.protocolVersion}…${limits.protocolVersion}`;
    return denied(closeCodes.badMessage, `unsupported_protocol: ${hello.protocol} is not in ${range}`);
  }
  if (hello.token !== undefined && upgrade.token !== undefined && hello.token !== upgrade.token)
    return denied(closeCodes.badMessage, "ambiguous_credentials");
  const verdict = await context.authenticator.verify(credentialsOf(hello, upgrade));
  if (verdict.kind !== "accepted") return denialOf(context, verdict);
  const judged =
    hello.agent === undefined
      ? admitPerson(context, hello, verdict)
      : await admitAgent(context, connection, hello, verdict);
  return judged.kind === "denied" ? { who: verdict.principal, ...judged } : judged;
}

function admitPerson(
  context: GatewayContext,
  hello: Hello,
  { principal, expiresAt, credential }: Extract<Verdict, { kind: "accepted" }>,
): Admitted | Denied {
  const crowded = context.admission.charge(principalKey(principal.workspace, principal.id));
  if (crowded !== undefined) return denied(crowded.code, crowded.reason, crowded);
  if (isCrowded(context, principal))
    return denied(closeCodes.tooMany, "too many connections", context.admission.promise(crowdedRetryAfterMs));
  return admit(hello, { kind: "admitted", principal, expiresAt, credential, agent: undefined });
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

/** AD-5: at most so many connections a principal. */
function isCrowded(context: GatewayContext, { workspace, id }: Principal): boolean {
  return !context.occupants.admits(workspace, id, context.clock.monotonic(), context.heartbeat.interval);
}

function denialOf(context: GatewayContext, verdict: Exclude<Verdict, { kind: "accepted" }>): Denied {
  switch (verdict.kind) {
    case "refused":
      return denied(closeCodes.unauthenticated, verdict.reason);
    case "forbidden":
      return denied(closeCodes.forbidden, verdict.reason);
    case "unavailable":
      return denied(closeCodes.unavailable, verdict.reason, context.admission.promise(verdict.retryAfter));
  }
}
