/**
 * A Supabase project's own sign-in (GoTrue): a password, a link by e-mail, and the refresh of what they gave.
 *
 * Whatever it answers becomes one of few outcomes. Invariants: a project that is away, or asks for patience, is never
 * taken for a refusal; whether an address is known there is told to nobody; e-mail addresses, passwords, codes and tokens
 * are in no line of the log and in no outcome's words. It keeps nothing and never asks twice.
 */
import type { Clock } from "@holdfast/protocol";
import { z } from "zod";
import type { Log } from "../../observe/log.ts";
import { createOutageLines } from "../issuers/outageLines.ts";
import { type AskProvider, askJson, ProviderFailed } from "../issuers/provider.ts";
import type { SupabaseOptions } from "./options.ts";

/** Questions under way; further ones are told to come again. */
const questionsMax = 100;
const retryAfterMs = 5_000;
/** It says how many times a minute or an hour, and not when. */
const limitedRetryAfterMs = 60_000;

/** What a sign-in at the project gives. */
export interface Grant {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export type GrantOutcome =
  | { readonly kind: "granted"; readonly grant: Grant }
  | { readonly kind: "refused"; readonly why: "credentials" | "unconfirmed" }
  | Unavailable;

export interface Unavailable {
  readonly kind: "unavailable";
  readonly retryAfter: number;
  readonly why: "away" | "limited";
}

export interface SupabaseProject {
  withPassword(email: string, password: string): Promise<GrantOutcome>;
  /** `sent`: or the address is not known there. @param challenge S256 of a verifier that this browser keeps */
  sendLink(email: string, challenge: string, callback: string): Promise<{ readonly kind: "sent" } | Unavailable>;
  withCode(code: string, verifier: string): Promise<GrantOutcome>;
  refresh(refreshToken: string): Promise<GrantOutcome>;
}

export function createSupabaseProject(
  { url, publishableKey }: SupabaseOptions,
  { ask, clock, log }: { readonly ask: AskProvider; readonly clock: Clock; readonly log: Log },
): SupabaseProject {
  const base = `${url.replace(/\/+$/, "")}/auth/v1`;
  const outage = createOutageLines({ clock, log, about: { issuer: base, document: "sign-in" } });
  let questions = 0;

  const post = async (path: string, json: Readonly<Record<string, unknown>>): Promise<Answer | Unavailable> => {
    if (questions >= questionsMax) return { kind: "unavailable", retryAfter: retryAfterMs, why: "limited" };
    questions += 1;
    try {
      const answer = await askJson(ask, clock, { url: base + path, json, headers: { apikey: publishableKey } });
      if (answer.status >= 500) throw new ProviderFailed(`it answered HTTP ${answer.status}`);
      outage.answers();
      if (answer.status === 429) return { kind: "unavailable", retryAfter: limitedRetryAfterMs, why: "limited" };
      const code = codeOf(answer.json);
      if (answer.status === 401 && code === undefined)
        log.warn("auth.client_refused", { provider: "supabase", meaning: "the project does not take publishableKey" });
      return { kind: "answer", status: answer.status, json: answer.json, code };
    } catch (error) {
      if (!(error instanceof ProviderFailed)) throw error;
      outage.fails(error, "who signs in there is told to try again");
      return { kind: "unavailable", retryAfter: retryAfterMs, why: "away" };
    } finally {
      questions -= 1;
    }
  };

  const grant = async (type: string, json: Readonly<Record<string, unknown>>): Promise<GrantOutcome> => {
    const answer = await post(`/token?grant_type=${type}`, json);
    if (answer.kind === "unavailable") return answer;
    const read = granted.safeParse(answer.json);
    if (answer.status !== 200 || !read.success)
      return { kind: "refused", why: answer.code === "email_not_confirmed" ? "unconfirmed" : "credentials" };
    const { access_token: accessToken, refresh_token: refreshToken } = read.data;
    return { kind: "granted", grant: { accessToken, refreshToken } };
  };

  return {
    withPassword: (email, password) => grant("password", { email, password }),
    withCode: (code, verifier) => grant("pkce", { auth_code: code, code_verifier: verifier }),
    refresh: (refreshToken) => grant("refresh_token", { refresh_token: refreshToken }),
    async sendLink(email, challenge, callback) {
      // Nobody is made a user of the project here: who may come is the project's to say.
      const json = { email, create_user: false, code_challenge: challenge, code_challenge_method: "s256" };
      const answer = await post(`/otp?redirect_to=${encodeURIComponent(callback)}`, json);
      return answer.kind === "unavailable" ? answer : { kind: "sent" };
    },
  };
}

interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly json: unknown;
  readonly code: string | undefined;
}

const granted = z.object({ access_token: z.string().min(1), refresh_token: z.string().min(1).max(1_000) });

function codeOf(json: unknown): string | undefined {
  const { error_code: code, error } = (json ?? {}) as { readonly error_code?: unknown; readonly error?: unknown };
  return typeof code === "string" ? code : typeof error === "string" ? error : undefined;
}
