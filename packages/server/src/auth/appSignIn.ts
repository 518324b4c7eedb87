/**
 * Sign-in as the app does it: its own answer to "who is this?", in the place of the link and its session cookie.
 *
 * Life cycle: the app's function is asked at each opening, each `auth` and each HTTP call; what it returns is the
 * verdict. Invariants: a function that throws has not judged, so it is `unavailable` and never `refused` (AU-4),
 * and what it threw is in the log, not in the answer; a key that this server made (`hfk_…`) is this server's to
 * judge. It deliberately keeps nothing: how long a person stays signed in is the app's, told as `expiresAt`.
 */
import { limits, ProtocolError, type Role } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import type { Principal } from "../plugin.ts";
import { cookiesOf } from "./cookies.ts";
import { type Auth, errorOf, userFrom } from "./service.ts";
import { apiKeyPrefix } from "./tokens.ts";
import type { Credentials, Verdict } from "./verdict.ts";

const retryAfterMs = 5_000;
/** Who vouches for everybody but the server's own keys. */
const byApp = "app";

/** What a request states of who sent it. Neither is verified: that is what the function is asked for. */
export interface SignInRequest {
  /** What the page's `getToken` gave, or `Authorization: Bearer`. A token that is there decides alone (AU-1). */
  readonly token?: string;
  /** By name; empty where the request's cookies do not count (AU-5). */
  readonly cookies: Readonly<Record<string, string>>;
}

/** Who it is. */
export interface SignedIn {
  /** Names the person for ever: requests, outbox and cursors belong to it (OP-5). */
  readonly id: string;
  /** The id by default. */
  readonly name?: string;
  /** `operator` by default: calls every method that asks for no admin. */
  readonly role?: Exclude<Role, "agent">;
  /** `default` by default. Streams and rows of another workspace do not exist for this person. */
  readonly workspace?: string;
  /** When this ends, ms since 1970: the page is told before, and asks its `getToken` for a new one (AU-7). */
  readonly expiresAt?: number;
}

/** null: nobody that this app knows. A throw: cannot be judged now. */
export type Authenticate = (request: SignInRequest) => SignedIn | null | Promise<SignedIn | null>;

/** The server's own sign-in, with the app's verdict on everything but the server's own keys. */
export function createAppSignIn(own: Auth, authenticate: Authenticate, log: Log): Auth {
  const verify = async (credentials: Credentials): Promise<Verdict> => {
    const { token, cookies } = credentials;
    if (token?.startsWith(apiKeyPrefix)) return own.verify(credentials);
    try {
      const found = await authenticate({
        ...(token === undefined ? {} : { token }),
        cookies: cookiesOf(cookies ?? ""),
      });
      if (found === null) return { kind: "refused", reason: "The app knows nobody by this credential; sign in again." };
      const { expiresAt } = found;
      return {
        kind: "accepted",
        principal: principalFrom(found),
        cookie: token === undefined,
        ...(expiresAt === undefined ? {} : { expiresAt }),
      };
    } catch (error) {
      log.error("auth.authenticate_failed", { error });
      return { kind: "unavailable", reason: "Who this is cannot be judged now.", retryAfter: retryAfterMs };
    }
  };
  return {
    ...own,
    verify,
    issuerOf: (credentials) =>
      credentials.token?.startsWith(apiKeyPrefix) === true ? (own.issuerOf?.(credentials) ?? byApp) : byApp,
    signInCode: () =>
      Promise.reject(new TypeError("signInCode: this server has authenticate, so the app signs people in by itself.")),
    redeem: async () => ({ kind: "refused" }),
    signIn: async () => ({ kind: "refused" }),
    // The session is the app's: asking it is all that can extend it.
    async refresh(credentials) {
      const verdict = await verify(credentials);
      if (verdict.kind === "accepted") return { kind: "extended", user: userFrom(verdict.principal) };
      if (verdict.kind === "refused") return { kind: "refused" };
      throw errorOf(verdict);
    },
    async userOf(credentials) {
      const verdict = await verify(credentials);
      if (verdict.kind === "accepted") return userFrom(verdict.principal);
      if (verdict.kind === "refused" && credentials.token === undefined) return null;
      throw errorOf(verdict);
    },
  };
}

function principalFrom({ id, name = id, role = "operator", workspace = "default" }: SignedIn): Principal {
  for (const [field, value] of Object.entries({ id, name, workspace }))
    if (typeof value !== "string" || value === "" || value.length > limits.nameLengthMax)
      throw new ProtocolError(
        "internal",
        `authenticate: ${field} is ${JSON.stringify(value)}; give a text of 1 to ${limits.nameLengthMax} characters.`,
      );
  return { kind: "person", id, name, role, workspace, temporary: false };
}
