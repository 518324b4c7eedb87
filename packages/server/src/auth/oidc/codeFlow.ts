/**
 * Signing in at a provider's page: the authorisation code flow with PKCE (OpenID Connect), for one provider.
 *
 * Life cycle: `begin` says where the browser goes, and what it keeps; the provider sends it back with a code; `finish`
 * exchanges the code and checks the id token. Invariants: no answer counts without the ticket of the browser that
 * began, and each part of it is compared (state, nonce, issuer, audience); a provider that is away is told as such
 * and never as a refusal; code, verifier, secret and tokens are in no line of the log and in no answer. The access
 * token is dropped: this server asks the provider for nothing else.
 */
import { createHash } from "node:crypto";
import type { Clock, Random } from "@holdfast/protocol";
import type { JWTPayload } from "jose";
import { z } from "zod";
import type { Log } from "../../observe/log.ts";
import { type Identity, statedBy, verifyToken } from "../issuers/issuedTokens.ts";
import { type Issuer, issuersOf } from "../issuers/issuer.ts";
import { createKeySet } from "../issuers/keySet.ts";
import { createOutageLines } from "../issuers/outageLines.ts";
import { type AskProvider, askJson, ProviderFailed, type ProviderRequest } from "../issuers/provider.ts";
import { ProviderAway } from "../issuers/remoteDocument.ts";
import { createDiscovery, type Discovery } from "./discovery.ts";
import type { OidcSettings } from "./settings.ts";
import { type Ticket, ticketLifeMs } from "./ticket.ts";

/** Codes under way at one provider; further ones are told to come again. */
const exchangesMax = 100;
const codeCharsMax = 4_096;
const secretBytes = 32;

/** Why nobody is signed in. Each is a sentence on the sign-in page. */
export type SignInProblem =
  /** The person, or the provider's own rules, said no at its page. */
  | "denied"
  /** The answer is nobody's who asked here, or came too late. */
  | "expired"
  /** The provider's answer does not hold. */
  | "refused"
  /** The provider does not answer. */
  | "unreachable";

export type Finished =
  | { readonly kind: "named"; readonly identity: Identity }
  | { readonly kind: "failed"; readonly problem: SignInProblem };

export interface CodeFlow {
  readonly settings: OidcSettings;
  /** `location`: the provider's page, for this browser. `unreachable` where its discovery cannot be had. */
  begin(
    callback: string,
    returnTo: string,
  ): Promise<{ readonly location: string; readonly ticket: Ticket } | "unreachable">;
  /** @param query what the provider's answer says @param ticket this browser's, where it has one */
  finish(callback: string, query: URLSearchParams, ticket: Ticket | undefined): Promise<Finished>;
}

export interface CodeFlowParts {
  readonly ask: AskProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export function createCodeFlow(settings: OidcSettings, parts: CodeFlowParts): CodeFlow {
  const { ask, clock, random, log } = parts;
  const { id, issuer, clientId, role } = settings;
  const discovery = createDiscovery({ issuer, ask, clock, log });
  const keySet = createKeySet({ issuer, urlOf: async () => (await discovery.current()).jwks_uri, ask, clock, log });
  const judge = judgeOf(settings);
  const secret = (): string => Buffer.from(random.bytes(secretBytes)).toString("base64url");
  const outage = createOutageLines({ clock, log, about: { issuer, document: "token endpoint" } });
  let exchanges = 0;

  /** The id token for a code; undefined where the provider does not take it. */
  const exchange = async (callback: string, code: string, { verifier }: Ticket): Promise<string | undefined> => {
    if (exchanges >= exchangesMax) throw new ProviderAway(1);
    exchanges += 1;
    try {
      const request = tokenRequest(settings, await discovery.current(), callback, code, verifier);
      const answer = await askJson(ask, clock, request);
      const token = idTokenIn(answer);
      outage.answers();
      if (token === undefined && isOurFault(answer.json))
        log.warn("auth.client_refused", {
          provider: id,
          meaning: "the provider does not take clientId and clientSecret",
        });
      return token;
    } finally {
      exchanges -= 1;
    }
  };

  const identityIn = async (token: string, { nonce }: Ticket): Promise<Finished> => {
    const stated = statedBy(token);
    if (stated === undefined) return failed("refused");
    const reading = await verifyToken(token, stated.header, judge, keySet, clock);
    if (reading.kind === "unavailable") return failed("unreachable");
    if (reading.kind === "valid" && reading.claims["nonce"] === nonce && isForUs(reading.claims, clientId))
      return { kind: "named", identity: reading.identity };
    log.warn("auth.id_token_refused", {
      provider: id,
      problem: reading.kind === "valid" ? "nonce or azp" : reading.reason,
    });
    return failed("refused");
  };

  return {
    settings: { ...settings, role },

    async begin(callback, returnTo) {
      try {
        const { authorization_endpoint } = await discovery.current();
        const [state, nonce, verifier] = [secret(), secret(), secret()];
        const location = new URL(authorization_endpoint);
        const asked = {
          response_type: "code",
          client_id: clientId,
          redirect_uri: callback,
          scope: settings.scopes.join(" "),
          state,
          nonce,
          code_challenge: createHash("sha256").update(verifier).digest("base64url"),
          code_challenge_method: "S256",
        };
        for (const [name, value] of Object.entries(asked)) location.searchParams.set(name, value);
        const expiresAt = clock.now() + ticketLifeMs;
        return { location: location.href, ticket: { provider: id, state, nonce, verifier, returnTo, expiresAt } };
      } catch (error) {
        if (error instanceof ProviderAway) return "unreachable";
        throw error;
      }
    },

    async finish(callback, query, ticket) {
      const isOurs = ticket !== undefined && ticket.provider === id && only(query, "state") === ticket.state;
      // RFC 9207: of several providers, the one that was asked.
      if (!isOurs || (query.has("iss") && only(query, "iss") !== issuer)) return failed("expired");
      if (query.has("error")) return failed(only(query, "error") === "access_denied" ? "denied" : "refused");
      const code = only(query, "code");
      if (code === undefined || code === "" || code.length > codeCharsMax) return failed("refused");
      try {
        const token = await exchange(callback, code, ticket);
        return token === undefined ? failed("refused") : await identityIn(token, ticket);
      } catch (error) {
        if (error instanceof ProviderAway) return failed("unreachable");
        if (!(error instanceof ProviderFailed)) throw error;
        outage.fails(error, "who signs in is told to try again");
        return failed("unreachable");
      }
    },
  };
}

/** An id token is for this client: its audience is the client's id. */
function judgeOf({ issuer, clientId, role }: OidcSettings): Issuer {
  // Where the keys are is the discovery's to say; that there are some is all that is stated here.
  const judge = issuersOf([{ issuer, jwksUrl: issuer, audience: clientId, role }]).get(issuer);
  if (judge === undefined) throw new TypeError(`no issuer ${issuer}`);
  return judge;
}

function tokenRequest(
  { clientId, clientSecret }: OidcSettings,
  { token_endpoint: url, token_endpoint_auth_methods_supported: methods = ["client_secret_basic"] }: Discovery,
  callback: string,
  code: string,
  verifier: string,
): ProviderRequest {
  const form = { grant_type: "authorization_code", code, redirect_uri: callback, code_verifier: verifier };
  if (clientSecret === undefined) return { url, form: { ...form, client_id: clientId } };
  if (!methods.includes("client_secret_basic") && methods.includes("client_secret_post"))
    return { url, form: { ...form, client_id: clientId, client_secret: clientSecret } };
  // RFC 6749, 2.3.1: each part encoded as in a form.
  const pair = [clientId, clientSecret].map((part) => new URLSearchParams([["", part]]).toString().slice(1)).join(":");
  return { url, form, authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

const granted = z.object({ id_token: z.string() });

/** Undefined where it says no; throws {@link ProviderFailed} where it says nothing that can be read. */
function idTokenIn({ status, json }: { readonly status: number; readonly json: unknown }): string | undefined {
  if (status >= 500 || status === 429) throw new ProviderFailed(`it answered HTTP ${status}`);
  if (status !== 200) return undefined;
  const read = granted.safeParse(json);
  return read.success ? read.data.id_token : undefined;
}

/** A code that does not hold is somebody's mistake or attempt; a client that does not is for an operator to mend. */
function isOurFault(json: unknown): boolean {
  const code = (json as { error?: unknown } | null)?.error;
  return code === "invalid_client" || code === "unauthorized_client";
}

/** OpenID Connect Core, 3.1.3.7: of several audiences the authorised party must be this client. */
function isForUs({ aud, azp }: JWTPayload, clientId: string): boolean {
  return azp === undefined ? !Array.isArray(aud) || aud.length === 1 : azp === clientId;
}

/** A parameter that is there once. */
function only(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

function failed(problem: SignInProblem): Finished {
  return { kind: "failed", problem };
}
