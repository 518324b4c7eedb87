/**
 * Sign-in of one deployment: codes, sessions, API keys, and the verdict on every credential.
 *
 * Life cycle: `createAuth` loads the deployment's signing keys from the store (the first node makes the first), then
 * judges from signatures and memory. Invariants: an explicit credential decides alone, in development mode
 * too (AU-6); a store that does not answer refuses nobody who is validly signed (AU-4); no code, cookie or
 * key is ever logged, stored in clear or repeated in a reason (L2). Secrets are compared by the database as
 * hashes of 128 random bits, or by signature, never text by text (T8). It deliberately holds no connection.
 */
import { type Clock, limits, ProtocolError, type Random, type Role, type User, uuidv7 } from "@holdfast/protocol";
import type { Mode } from "../mode.ts";
import type { Log } from "../observe/log.ts";
import type { Principal } from "../plugin.ts";
import { accountOf, createAccounts } from "./accounts.ts";
import type { AccountWork } from "./accountTasks.ts";
import type { Identity, IssuedReading, IssuedTokens } from "./issuers/issuedTokens.ts";
import { apiKeyLifeMs, sessionLifeMs, signInCodeLifeMs, signingKeyLifeMs } from "./lives.ts";
import { ownerId } from "./schema.ts";
import { hashOfCode, newSignInCode } from "./signInCode.ts";
import { createSigningKeys, knownBeforeMs, restMs } from "./signingKeys.ts";
import type { SigningKeyWork } from "./signingKeyTasks.ts";
import { createStandings } from "./standings.ts";
import type { AuthWork, NewKey } from "./tasks.ts";
import { apiKeyPrefix, type Claims, createTokens, type Reading, toleranceMs } from "./tokens.ts";
import { type Authenticator, type Credentials, credentialName, developmentUserId, type Verdict } from "./verdict.ts";

const workspace = "default";
const operatorKeyName = "operator";

export interface AuthOptions {
  /** Runs one of {@link authTasks} in a transaction. Rejects where the store does not answer. */
  readonly run: (task: string, input: unknown) => Promise<unknown>;
  readonly mode: Mode;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How long a sign-in lasts, ms, unless it is refreshed; {@link sessionLifeMs} where absent. */
  readonly sessionLifeMs?: number;
  /** After how long another key signs, ms; {@link signingKeyLifeMs} where absent. What was signed before holds on. */
  readonly signingKeyLifeMs?: number;
  /** Tokens of the configured issuers; absent where there are none. */
  readonly issued?: IssuedTokens;
}

/** `cookie`: the session cookie's value; `expiresAt` in ms since 1970. */
interface Begun {
  readonly kind: "signedIn";
  readonly cookie: string;
  readonly user: User;
  readonly expiresAt: number;
}

export type Redeemed =
  | Begun
  /** Unknown, used or expired: nobody can tell which. */
  | { readonly kind: "refused" };

export type Refreshed =
  /** `cookie`: the session cookie's new value, where it is ours. */
  | { readonly kind: "extended"; readonly user: User; readonly cookie?: string }
  /** Nobody is signed in. */
  | { readonly kind: "refused" };

export interface Auth extends Authenticator {
  /** How long a session's cookie is to be kept, ms. */
  readonly sessionLifeMs: number;
  /** A single-use code of {@link signInCodeLifeMs} for the owner of this machine. */
  signInCode(): Promise<string>;
  /** Takes a code and begins a session. Rejects where the store does not answer. */
  redeem(code: string): Promise<Redeemed>;
  /**
   * Begins a session of whom an issuer has named; refused where that person may not come. Rejects where the store does
   * not answer. `lifeMs`: how long it lasts unless it is refreshed; {@link Auth.sessionLifeMs} where absent.
   */
  signIn(identity: Identity, lifeMs?: number): Promise<Redeemed>;
  /** Whom a token of a configured issuer names. */
  readIssued(token: string): Promise<IssuedReading>;
  /** AU-7: the cookie's session lasts its full life from now on, under the same id. Rejects where the store does not answer. */
  refresh(credentials: Credentials, lifeMs?: number): Promise<Refreshed>;
  /** Ends the session of this cookie; one that is not valid has none. */
  signOut(cookie: string): Promise<void>;
  /** A new API key that may enrol one agent (OP-6). */
  agentKey(name: string): Promise<string>;
  /** The same, but one a name for all servers of a deployment: whoever asks speaks as the same agent. */
  sharedAgentKey(name: string): Promise<string>;
  /**
   * A new API key of the owner, role admin, for the command line of a machine; ends the one that this place had
   * before. Of several servers on one store each has its own place.
   */
  operatorKey(place?: string): Promise<string>;
  /** Ends a key by its id: from now on here, and on every node as soon as it reads of it (AU-9). */
  revokeKey(id: string): Promise<void>;
  /**
   * Gives a person another role: their connections come back with it, on every node (AU-9). Throws `not_found` for
   * somebody who is unknown or removed. Rejects where the store does not answer.
   */
  setRole(user: string, role: Exclude<Role, "agent">): Promise<void>;
  /**
   * Who this is, or null without (or with a lapsed) ambient credential. Throws `unauthenticated`, `forbidden`
   * or `auth_unavailable` where a credential was stated and does not hold.
   */
  userOf(credentials: Credentials): Promise<User | null>;
}

export async function createAuth(options: AuthOptions): Promise<Auth> {
  const { mode, clock, random, log, issued, sessionLifeMs: lifeMs = sessionLifeMs } = options;
  const { signingKeyLifeMs: keyLifeMs = signingKeyLifeMs } = options;
  type Work = AuthWork & AccountWork & SigningKeyWork;
  const run = <Name extends keyof Work>(task: Name, input: Work[Name]["input"]): Promise<Work[Name]["output"]> =>
    options.run(task, input) as Promise<Work[Name]["output"]>;
  const heldMs = Math.max(apiKeyLifeMs, lifeMs) + toleranceMs;
  const keys = await createSigningKeys({
    load: (candidate) => run("auth.signingKeys", { candidate }),
    rotate: (candidate, after) => run("auth.rotateSigningKey", { candidate, after, knownBeforeMs, heldMs }),
    keyLifeMs,
    clock,
    random,
    log,
  });
  const tokens = createTokens(keys, clock);
  const standings = createStandings({
    ask: (kind, id) => run(kind === "key" ? "auth.key" : "auth.session", { id }),
    clock,
    log,
  });
  const accounts = createAccounts(standings, (account) => run("auth.account", account));
  // AU-6: once a start, never per connection.
  if (mode === "development")
    log.warn("auth.development_mode", { meaning: "whoever reaches this port is an admin without signing in" });
  const listeners: ((credential: string) => void)[] = [];
  const ended = (kind: Claims["kind"], id: string): void => {
    const name = credentialName(kind, id);
    standings.ended(name);
    for (const listener of listeners) listener(name);
  };
  const newId = (): string => uuidv7(clock.now(), random.bytes(10));

  const judgeIssued = async (token: string): Promise<Verdict> => {
    if (issued === undefined) return refuse("The credential is of no issuer that this server knows.");
    const reading = await issued.read(token);
    return reading.kind === "valid" ? accounts.verdictOn(reading.identity) : reading;
  };

  const judgeKey = async (token: string): Promise<Verdict> => {
    const reading = await tokens.read(token.slice(apiKeyPrefix.length), "key");
    if (reading.kind === "unavailable") return keysUnknown;
    if (reading.kind !== "valid") return refuse(`The API key does not hold: ${reasonOf(reading)}.`);
    const standing = await standings.of("key", reading.claims.jti);
    if (standing.kind === "ended") return { kind: "forbidden", reason: "The API key was revoked." };
    return accept(reading.claims, standing.kind === "live" ? standing : reading.claims, endOf(reading.claims));
  };

  const judgeCookie = async (cookie: string): Promise<Verdict> => {
    const reading = await tokens.read(cookie, "session");
    if (reading.kind === "unavailable") return keysUnknown;
    if (reading.kind === "refused") return refuse(`The session does not hold: ${reading.reason}; sign in again.`);
    const standing = await standings.of("session", reading.claims.jti);
    if (standing.kind === "ended") return refuse("The session has ended; sign in again.");
    // AU-7: a connection keeps the cookie of its upgrade, and its session may have been extended since.
    const now = standing.kind === "live" ? standing : reading.claims;
    const known = standing.kind === "live" ? standing.expiresAt : undefined;
    const endsAt = known === undefined ? endOf(reading.claims) : seconds(known) * 1000;
    if (endsAt + toleranceMs <= clock.now()) return refuse("The session does not hold: it has expired; sign in again.");
    return accept(reading.claims, now, endsAt);
  };

  const issuerOf = ({ token, cookie }: Credentials): string => {
    if (token !== undefined) return token.startsWith(apiKeyPrefix) ? "key" : (issued?.issuerOf(token) ?? "unknown");
    return cookie === undefined ? "none" : "session";
  };

  const verify = async ({ token, cookie, browser, instance }: Credentials): Promise<Verdict> => {
    if (token !== undefined) return token.startsWith(apiKeyPrefix) ? judgeKey(token) : judgeIssued(token);
    const verdict = cookie === undefined ? refuse("Nobody is signed in.") : await judgeCookie(cookie);
    if (verdict.kind !== "refused" || mode !== "development") return verdict;
    return developmentUser(browser ?? instance);
  };

  const addKey = async (key: Omit<NewKey, "id" | "lifeMs">): Promise<string> => {
    if (key.name === "" || key.name.length > limits.nameLengthMax) {
      throw new ProtocolError(
        "invalid_params",
        `The key's name has ${key.name.length} characters; give it 1 to ${limits.nameLengthMax}.`,
      );
    }
    const fresh = newId();
    const added = await run("auth.addKey", { ...key, id: fresh, lifeMs: apiKeyLifeMs });
    const { id, holder, expiresAt, replaced } = added;
    for (const old of replaced) ended("key", old);
    if (id === fresh) log.info("auth.key_made", { holder: key.name, role: key.role, keyId: id });
    const { role, enrol } = key;
    const claims: Claims = {
      kind: "key",
      jti: id,
      sub: key.user ?? id,
      exp: seconds(expiresAt),
      name: holder,
      role,
      workspace,
      enrol,
    };
    return apiKeyPrefix + tokens.sign(claims);
  };

  const signSession = (id: string, user: Omit<User, "temporary">, expiresAt: number): string => {
    const { id: sub, name, role } = user;
    const exp = seconds(expiresAt);
    return tokens.sign({ kind: "session", jti: id, sub, exp, name, role, workspace: user.workspace, enrol: false });
  };

  const begun = (session: string, user: Omit<User, "temporary">, expiresAt: number): Begun => {
    const cookie = signSession(session, user, expiresAt);
    log.info("auth.signed_in", { user: user.id, session });
    return { kind: "signedIn", cookie, user: { ...user, temporary: false }, expiresAt };
  };

  return {
    sessionLifeMs: lifeMs,
    verify,
    issuerOf,
    onEnded: (listener) => void listeners.push(listener),
    ended: (credential) => standings.ended(credential),
    rightsChanged: () => standings.doubt(),
    signingKeysChanged: () => keys.changed(),
    deriveKey: (purpose) => keys.deriveKey(purpose),

    async signInCode() {
      const { code, hash } = newSignInCode(random);
      await run("auth.addCode", { hash, user: ownerId, lifeMs: signInCodeLifeMs });
      return code;
    },

    async redeem(code) {
      const session = newId();
      const redeemed = await run("auth.redeemCode", { hash: hashOfCode(code), session, lifeMs });
      return redeemed === null ? { kind: "refused" } : begun(session, redeemed.user, redeemed.expiresAt);
    },

    readIssued: async (token) =>
      (await issued?.read(token)) ?? {
        kind: "refused",
        reason: "The credential is of no issuer that this server knows.",
      },

    async signIn(identity, lasts = lifeMs) {
      const account = accountOf(identity);
      if ((await run("auth.account", account)) === null) return { kind: "refused" };
      const session = newId();
      const made = await run("auth.beginSession", { user: account.id, session, lifeMs: lasts });
      return made === null ? { kind: "refused" } : begun(session, made.user, made.expiresAt);
    },

    async refresh({ cookie }, lasts = lifeMs) {
      const reading = cookie === undefined ? undefined : await tokens.read(cookie, "session");
      if (reading?.kind === "unavailable") throw errorOf(keysUnknown);
      if (reading === undefined || reading.kind === "refused") return { kind: "refused" };
      const { jti: session } = reading.claims;
      const { doubts } = standings;
      const extended = await run("auth.extendSession", { id: session, lifeMs: lasts });
      if (extended === null) return { kind: "refused" };
      const { user, expiresAt } = extended;
      standings.extended(session, { name: user.name, role: user.role, expiresAt }, doubts);
      log.info("auth.session_extended", { user: user.id, session });
      return {
        kind: "extended",
        cookie: signSession(session, user, expiresAt),
        user: { ...user, temporary: false },
      };
    },

    async signOut(cookie) {
      const reading = await tokens.read(cookie, "session");
      if (reading.kind === "unavailable") throw errorOf(keysUnknown);
      if (reading.kind === "refused") return;
      await run("auth.endSession", { id: reading.claims.jti });
      ended("session", reading.claims.jti);
      log.info("auth.signed_out", { user: reading.claims.sub, session: reading.claims.jti });
    },

    agentKey: (name) => addKey({ name, user: null, role: "agent", enrol: true, replaces: false, reuses: false }),
    sharedAgentKey: (name) => addKey({ name, user: null, role: "agent", enrol: true, replaces: false, reuses: true }),
    operatorKey: (place) => {
      const name = place === undefined ? operatorKeyName : `${operatorKeyName} of ${place}`;
      return addKey({ name, user: ownerId, role: "admin", enrol: false, replaces: true, reuses: false });
    },

    async revokeKey(id) {
      await run("auth.revokeKey", { id });
      ended("key", id);
      log.info("auth.key_revoked", { keyId: id });
    },

    async setRole(user, role) {
      if (!(await run("auth.setRole", { user, role })))
        throw new ProtocolError("not_found", `There is no person "${user}"; take an id from the list of people.`);
      log.info("auth.role_changed", { user, role });
    },

    async userOf(credentials) {
      const verdict = await verify(credentials);
      if (verdict.kind === "accepted") return userFrom(verdict.principal);
      if (verdict.kind === "refused" && credentials.token === undefined) return null;
      throw errorOf(verdict);
    },
  };
}

/** The error that stands for a verdict at the HTTP door. */
export function errorOf(verdict: Exclude<Verdict, { kind: "accepted" }>): ProtocolError {
  switch (verdict.kind) {
    case "refused":
      return new ProtocolError("unauthenticated", verdict.reason);
    case "forbidden":
      return new ProtocolError("forbidden", verdict.reason);
    case "unavailable":
      return new ProtocolError("auth_unavailable", verdict.reason, { retryAfter: verdict.retryAfter });
  }
}

/** What others see of a principal. */
export function userFrom({ id, name, role, workspace: place, temporary }: Principal): User {
  return { id, name, role, workspace: place, temporary };
}

/** The signed identity, with name and role as they are now where that is known. */
function accept(claims: Claims, now: Pick<Claims, "name" | "role">, expiresAt: number): Verdict {
  const isKey = claims.kind === "key";
  return {
    kind: "accepted",
    principal: {
      kind: claims.role === "agent" ? "agent" : "person",
      id: claims.sub,
      name: now.name,
      role: now.role,
      workspace: claims.workspace,
      temporary: false,
      ...(isKey ? { key: { id: claims.jti, enrol: claims.enrol } } : { session: claims.jti }),
    },
    expiresAt,
    cookie: !isKey,
    credential: credentialName(claims.kind, claims.jti),
  };
}

/** AU-6: the same user on every reconnect of one client, and in every tab of one browser. */
function developmentUser(id: string): Verdict {
  const principal: Principal = {
    kind: "person",
    id: developmentUserId(id),
    name: "Developer",
    role: "admin",
    workspace,
    temporary: true,
  };
  return { kind: "accepted", principal, cookie: false };
}

/** A key that another node may have made while the store is away. */
const keysUnknown = {
  kind: "unavailable",
  reason: "Whether this server signed the credential cannot be judged now.",
  retryAfter: restMs,
} as const;

function refuse(reason: string): Verdict {
  return { kind: "refused", reason };
}

function endOf(claims: Claims): number {
  return claims.exp * 1000;
}

function reasonOf(reading: Extract<Reading, { kind: "expired" | "refused" }>): string {
  return reading.kind === "expired" ? "it has expired" : reading.reason;
}

function seconds(timeMs: number): number {
  return Math.floor(timeMs / 1000);
}
