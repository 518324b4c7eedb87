/**
 * The public keys of one issuer, as its key set (JWKS) names them.
 *
 * The key set is a hostile document until it was read: only public keys that can check a signature are taken from
 * it, symmetric and weak ones never (T1), and a set without any is a failure of the provider that leaves the last
 * good one in place. Invariants: a key is found by the token's `kid` within this issuer's set alone, and `kid` is
 * only compared (T2); a `kid` that the set does not have makes it be asked for anew, at most once a minute (AU-4).
 */
import type { Clock } from "@holdfast/protocol";
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWK,
  type ProtectedHeaderParameters,
} from "jose";
import { z } from "zod";
import type { Log } from "../../observe/log.ts";
import { type AskProvider, getJson, ProviderFailed } from "./provider.ts";
import { createRemoteDocument, failureRestMs, ProviderAway } from "./remoteDocument.ts";

const keysMax = 100;
/** RFC 7518: an RSA key of at least 2,048 bits. */
const modulusBytesMin = 256;

export type FoundKey =
  | { readonly kind: "found"; readonly key: CryptoKey }
  /** The set as it is now has none, or not exactly one, for this header. */
  | { readonly kind: "none" }
  /** Not to be known now; `retryAfter` in ms. */
  | { readonly kind: "unavailable"; readonly retryAfter: number };

export interface KeySet {
  keyFor(header: ProtectedHeaderParameters): Promise<FoundKey>;
}

type FindKey = ReturnType<typeof createLocalJWKSet>;

const setShape = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(keysMax) });

/** @param urlOf where the set is; asked at each fetch, since a provider's discovery may say it */
export function createKeySet(parts: {
  readonly issuer: string;
  readonly urlOf: () => Promise<string>;
  readonly ask: AskProvider;
  readonly clock: Clock;
  readonly log: Log;
}): KeySet {
  const { issuer, urlOf, ask, clock, log } = parts;
  const document = createRemoteDocument<FindKey>({
    read: async () => createLocalJWKSet(usableKeys(await getJson(ask, clock, await urlOf()))),
    clock,
    log,
    about: { issuer, document: "key set" },
  });

  return {
    async keyFor(header) {
      const known = document.edition;
      try {
        const found = await keyIn(await document.current(), header);
        if (found.kind !== "none" || header.kid === undefined) return found;
        const newer = await document.newerThan(known);
        // AU-4: whether the key is there cannot be known before the minute is over.
        if (typeof newer === "number") return { kind: "unavailable", retryAfter: newer };
        return await keyIn(newer, header);
      } catch (error) {
        if (error instanceof ProviderAway) return { kind: "unavailable", retryAfter: error.retryAfter };
        throw error;
      }
    },
  };
}

async function keyIn(find: FindKey, header: ProtectedHeaderParameters): Promise<FoundKey> {
  try {
    const { alg, kid } = header;
    return {
      kind: "found",
      key: await find({ ...(alg === undefined ? {} : { alg }), ...(kid === undefined ? {} : { kid }) }),
    };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
      return { kind: "none" };
    // The one key that it names is no key: the provider's fault, and nothing is said of the token.
    return { kind: "unavailable", retryAfter: failureRestMs };
  }
}

function usableKeys(json: unknown): JSONWebKeySet {
  const read = setShape.safeParse(json);
  if (!read.success)
    throw new ProviderFailed(`its key set is none: an object with at most ${keysMax} keys is expected`);
  const keys = (read.data.keys as JWK[]).filter(isUsable);
  if (keys.length === 0) throw new ProviderFailed("its key set has no public key for signatures");
  return { keys };
}

function isUsable({ kty, n, d, use }: JWK): boolean {
  if (d !== undefined || (use !== undefined && use !== "sig")) return false;
  if (kty === "RSA") return typeof n === "string" && Buffer.from(n, "base64url").length >= modulusBytesMin;
  return kty === "EC" || kty === "OKP";
}
