/**
 * A provider of identities on loopback: key set, discovery, authorisation code with PKCE, tokens. One of our own.
 *
 * It speaks real HTTP, and misbehaves as a test asks: hangs, 500, garbage, huge, a redirect, keys that change.
 * Whoever reaches its authorisation page is the person set as `person`, without a question.
 */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

export type Fault = "hangs" | "500" | "garbage" | "huge" | "redirects" | "empty" | "secrets" | "not json keys";

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export interface Person {
  readonly sub: string;
  readonly name?: string;
  readonly [claim: string]: unknown;
}

export interface IdentityProvider extends AsyncDisposable {
  readonly url: string;
  readonly jwksUrl: string;
  /** What was asked for, by path. */
  readonly asked: Map<string, number>;
  fault: Fault | undefined;
  /** The person who signs in at its page. */
  person: Person;
  /** What its page answers in the place of a code: `access_denied`. */
  denial: string | undefined;
  /** Claims that its id tokens have beside, or in the place of, the right ones. */
  idClaims: Readonly<Record<string, unknown>>;
  /** Fields that its discovery document has beside, or in the place of, the right ones. */
  discovery: Readonly<Record<string, unknown>>;
  readonly client: { readonly id: string; readonly secret: string | undefined };
  /** Signs with the newest key, as itself; `iat` and `exp` in seconds since 1970 are the caller's to say. */
  sign(claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Another key signs from now on; the set holds the new one alone, or both. */
  rotate(keep?: "keep" | "drop", alg?: string): Promise<void>;
  /** The public key in PEM or as raw text, for confusions. */
  readonly newest: SigningKey;
}

export async function startIdentityProvider(
  options: { readonly secret?: string; readonly alg?: string; readonly now?: () => number } = {},
): Promise<IdentityProvider> {
  const { secret, alg = "ES256", now = Date.now } = options;
  let keys = [await makeKey(alg)];
  const codes = new Map<string, { challenge: string; nonce: string | null; redirect: string }>();
  const hanging = new Set<ServerResponse>();
  const asked = new Map<string, number>();

  const answer = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const misbehaviour: Readonly<Record<Fault, (response: ServerResponse) => void>> = {
    hangs: (response) => void hanging.add(response),
    "500": (response) => answer(response, 500, { error: "broken" }),
    garbage: (response) => void response.end("<html>not json"),
    // Right in all but its size.
    huge: (response) =>
      void response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk), pad: "x".repeat(2_000_000) })),
    redirects: (response) => void response.writeHead(302, { location: `${provider.url}/elsewhere` }).end(),
    empty: (response) => answer(response, 200, { keys: [] }),
    secrets: (response) =>
      answer(response, 200, { keys: [{ kty: "oct", kid: newest().kid, k: "c2VjcmV0", alg: "HS256" }] }),
    "not json keys": (response) => answer(response, 200, { keys: "none" }),
  };
  const newest = (): SigningKey => keys.at(-1) as SigningKey;

  const authorise = (url: URL, response: ServerResponse): void => {
    const parameters = url.searchParams;
    const redirect = parameters.get("redirect_uri") ?? "";
    const back = new URL(redirect);
    back.searchParams.set("state", parameters.get("state") ?? "");
    const wrong = parameters.get("client_id") !== provider.client.id || parameters.get("response_type") !== "code";
    if (provider.denial !== undefined || wrong || parameters.get("code_challenge_method") !== "S256")
      back.searchParams.set("error", provider.denial ?? "invalid_request");
    else {
      const code = randomUUID();
      const challenge = parameters.get("code_challenge") ?? "";
      codes.set(code, { challenge, nonce: parameters.get("nonce"), redirect });
      back.searchParams.set("code", code);
    }
    response.writeHead(302, { location: back.href }).end();
  };
  const exchange = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await textOf(request));
    const pair = Buffer.from((request.headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString();
    // RFC 6749, 2.3.1: each part comes encoded as in a form.
    const stated = pair.split(":").map((part) => new URLSearchParams(`part=${part}`).get("part"));
    if (secret !== undefined && (stated[0] !== provider.client.id || stated[1] !== secret))
      return answer(response, 401, { error: "invalid_client" });
    const code = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (code === undefined || code.challenge !== challenge || code.redirect !== form.get("redirect_uri"))
      return answer(response, 400, { error: "invalid_grant" });
    const seconds = Math.floor(now() / 1000);
    const claims = { ...provider.person, aud: provider.client.id, nonce: code.nonce, iat: seconds, exp: seconds + 300 };
    const idToken = await provider.sign({ ...claims, ...provider.idClaims } as JWTPayload);
    answer(response, 200, { access_token: randomUUID(), token_type: "Bearer", id_token: idToken });
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", provider.url);
    asked.set(url.pathname, (asked.get(url.pathname) ?? 0) + 1);
    if (provider.fault !== undefined) return misbehaviour[provider.fault](response);
    if (url.pathname === "/jwks.json") return answer(response, 200, { keys: keys.map(({ jwk }) => jwk) });
    if (url.pathname === "/authorise") return authorise(url, response);
    if (url.pathname === "/token") return void exchange(request, response);
    if (url.pathname !== "/.well-known/openid-configuration") return answer(response, 404, {});
    answer(response, 200, {
      issuer: provider.url,
      authorization_endpoint: `${provider.url}/authorise`,
      token_endpoint: `${provider.url}/token`,
      jwks_uri: provider.jwksUrl,
      id_token_signing_alg_values_supported: ["ES256"],
      ...provider.discovery,
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: IdentityProvider = {
    url,
    jwksUrl: `${url}/jwks.json`,
    asked,
    fault: undefined,
    person: { sub: "ada-1", name: "Ada" },
    denial: undefined,
    idClaims: {},
    discovery: {},
    client: { id: "holdfast-test", secret },
    get newest() {
      return newest();
    },
    sign: (claims, header = {}) => {
      const { kid, alg: own, privateKey } = newest();
      return new SignJWT({ iss: url, ...claims }).setProtectedHeader({ alg: own, kid, ...header }).sign(privateKey);
    },
    async rotate(keep = "drop", other = alg) {
      const key = await makeKey(other);
      keys = keep === "keep" ? [...keys, key] : [key];
    },
    async [Symbol.asyncDispose]() {
      for (const response of hanging) response.destroy();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return provider;
}

async function makeKey(alg: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
