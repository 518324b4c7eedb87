/**
 * Credentials, asked for once at a time, whoever wants one: the socket's rules, or an HTTP call of the page (CL-7).
 *
 * The token in hand is the last that `getToken` gave. A question while one is under way gets its answer; one for a
 * better token than the one in hand is asked anew. It never judges a token and never retries: the core's rules do,
 * and what an HTTP call does with a refusal is the program's.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { AskServer, SessionOptions } from "../api.ts";
import type { TokenOutcome, TokenReason } from "../core/connectionState.ts";
import { isBetterToken } from "../core/token.ts";

export interface Credentials {
  /** Never rejects. `old`: the token that is not good enough. */
  ask(why: TokenReason, old: string | undefined): Promise<TokenOutcome>;
  /** See `Session.token`. */
  token(refused?: string | null): Promise<string | null>;
}

/** @param isUsable whether a token lives long enough to be sent */
export function makeCredentials(
  getToken: SessionOptions["getToken"],
  askServer: AskServer,
  isUsable: (token: string) => boolean,
): Credentials {
  let held: string | undefined;
  let underWay: Promise<TokenOutcome> | undefined;

  async function question(why: TokenReason): Promise<TokenOutcome> {
    try {
      if (getToken === undefined || why === "unopened") return await askServer(why !== "unopened");
      const token = await getToken(why);
      held = token ?? undefined;
      return token === null ? { kind: "signedOut" } : { kind: "token", token };
    } catch {
      return { kind: "unreachable" };
    }
  }

  function ask(why: TokenReason, old: string | undefined): Promise<TokenOutcome> {
    // This changes nothing, so it may be asked for itself.
    if (why === "unopened") return question(why);
    if (held !== undefined && held !== old && isBetterToken(held, old) && isUsable(held))
      return Promise.resolve({ kind: "token", token: held });
    if (underWay === undefined) {
      underWay = question(why);
      void underWay.then(() => {
        underWay = undefined;
      });
    }
    return underWay;
  }

  return {
    ask,
    async token(refused) {
      if (getToken === undefined && refused === undefined) return null;
      const why = getToken === undefined || refused === undefined ? "expiring" : "rejected";
      const outcome = await ask(held === undefined && refused === undefined ? "first" : why, refused ?? undefined);
      if (outcome.kind === "unreachable") throw new ProtocolError("auth_unavailable", "no credential now");
      return outcome.kind === "token" ? outcome.token : null;
    },
  };
}
