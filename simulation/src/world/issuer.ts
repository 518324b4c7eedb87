/**
 * Who people are: an issuer of tokens, and the node's judge of them.
 *
 * A token is text that says who, as what, until when and by which key it was signed; nobody here forges one. A node
 * knows the keys that it has seen; while the issuer cannot be reached, a token of a newer key cannot be judged
 * (AU-4), and no client gets a fresh one (CL-7). Invariant: expiry is judged by the node's own wall clock.
 */
import type { Principal } from "@holdfast/server/plugin";
import type { Authenticator, Credentials, Verdict } from "../../../packages/server/src/auth/verdict.ts";
import type { Process } from "../core/process.ts";

/** AU-4 */
const toleranceMs = 30_000;
const verifyMs = 2;
const retryAfterMs = 2_000;

export interface Person {
  readonly id: string;
  readonly role: "viewer" | "operator" | "admin";
  readonly workspace: string;
}

export interface Issuer {
  isReachable: boolean;
  /** The tokens that some node has refused: ends that nobody made up. */
  readonly refused: Set<string>;
  /** Rises as keys are rotated. */
  signingKey: number;
  /** Ids of tokens that ended before their time. */
  readonly revoked: Set<string>;
  /** A token of this life, on a true clock. One that `isOpaque` tells its holder nothing. */
  token(
    person: Person,
    now: number,
    lifeMs: number,
    isOpaque: boolean,
  ): { readonly text: string; readonly expiresAt: number; readonly serial: string };
  agentKey(agent: string, workspace: string): string;
}

export function makeIssuer(): Issuer {
  let serial = 0;
  const issuer: Issuer = {
    isReachable: true,
    refused: new Set(),
    signingKey: 1,
    revoked: new Set(),
    token({ id, role, workspace }, now, lifeMs, isOpaque) {
      serial += 1;
      // Whole seconds, as in a JWT.
      const expiresAt = Math.floor((now + lifeMs) / 1_000) * 1_000;
      const text = ["t", id, role, workspace, expiresAt, issuer.signingKey, serial].join("|");
      const claims = Buffer.from(JSON.stringify({ exp: expiresAt / 1_000, text })).toString("base64url");
      return { text: isOpaque ? text : `e30.${claims}.signed`, expiresAt, serial: String(serial) };
    },
    agentKey: (agent, workspace) => ["k", agent, workspace].join("|"),
  };
  return issuer;
}

export interface NodeAuthenticator extends Authenticator {
  /** AU-9: ends a credential before its time, on this node. */
  end(credential: string): void;
}

export function makeAuthenticator(issuer: Issuer, process: Process, refused: () => void): NodeAuthenticator {
  const { clock } = process;
  const listeners: ((credential: string) => void)[] = [];
  const knownKeys = new Set<number>();

  const judge = (given: string): Verdict => {
    const claims = given.split(".")[1];
    const token = claims === undefined ? given : String(JSON.parse(Buffer.from(claims, "base64url").toString()).text);
    const [kind, id = "", role = "", workspace = "", expiry = "0", key = "0", serial = ""] = token.split("|");
    if (kind === "k") {
      const principal: Principal = {
        kind: "person",
        id: `key-${id}`,
        name: id,
        role: "operator",
        workspace: role,
        temporary: false,
        key: { id: `key-${id}`, enrol: true },
      };
      return { kind: "accepted", principal, cookie: false, credential: `key ${id}` };
    }
    if (kind !== "t") return { kind: "refused", reason: "no token of ours" };
    if (!knownKeys.has(Number(key))) {
      if (!issuer.isReachable) {
        refused();
        return { kind: "unavailable", reason: "the issuer's keys cannot be fetched", retryAfter: retryAfterMs };
      }
      knownKeys.add(Number(key));
    }
    const expiresAt = Number(expiry);
    if (expiresAt + toleranceMs <= clock.now()) return { kind: "refused", reason: "the token has expired" };
    if (issuer.revoked.has(serial)) return { kind: "forbidden", reason: "the token was revoked" };
    const principal: Principal = {
      kind: "person",
      id,
      name: id,
      role: role as Person["role"],
      workspace,
      temporary: false,
    };
    return { kind: "accepted", principal, expiresAt, cookie: false, credential: `token ${serial}` };
  };

  return {
    verify: ({ token }: Credentials) =>
      new Promise((resolve) => {
        clock.after(verifyMs, () => {
          const verdict: Verdict =
            token === undefined ? { kind: "refused", reason: "nobody is signed in" } : judge(token);
          if (verdict.kind === "refused" || verdict.kind === "forbidden") issuer.refused.add(token ?? "");
          resolve(verdict);
        });
      }),
    onEnded: (listener) => void listeners.push(listener),
    end(credential) {
      for (const listener of listeners) listener(credential);
    },
  };
}
