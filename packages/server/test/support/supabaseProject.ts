/**
 * A Supabase project's sign-in on loopback, of our own: GoTrue's few addresses as its documentation says, with faults.
 *
 * People, passwords and e-mails are a test's to set and to read. Refresh tokens work once, and the last one of a family a
 * second time, as there (its answer may have been lost).
 */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export interface SupabaseDouble extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  /** E-mail → password. */
  readonly people: Map<string, string>;
  /** Links that were sent: to whom, and where they lead. */
  readonly sent: { readonly to: string; readonly link: string }[];
  /** How often each grant was asked for. */
  readonly asked: Map<string, number>;
  fault: "500" | "429" | "hangs" | "garbage" | undefined;
  tokenSeconds: number;
}

export async function startSupabase(now: () => number = Date.now): Promise<SupabaseDouble> {
  const kid = randomUUID();
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" };
  const codes = new Map<string, { readonly email: string; readonly challenge: string }>();
  /** Refresh token → whose, and the one that took its place. */
  const grants = new Map<string, { readonly email: string; next?: string }>();
  const hanging = new Set<ServerResponse>();

  const answer = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const refuse = (response: ServerResponse, status: number, error_code: string): void =>
    answer(response, status, { code: status, error_code, msg: error_code });
  const grant = async (response: ServerResponse, email: string, before?: string): Promise<void> => {
    const seconds = Math.floor(now() / 1_000);
    const refresh_token = randomUUID();
    grants.set(refresh_token, { email });
    const old = before === undefined ? undefined : grants.get(before);
    if (old !== undefined) old.next = refresh_token;
    const access_token = await new SignJWT({ email, user_metadata: { name: email.split("@")[0] } })
      .setProtectedHeader({ alg: "ES256", kid })
      .setIssuer(`${project.url}/auth/v1`)
      .setSubject(`id of ${email}`)
      .setAudience("authenticated")
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + project.tokenSeconds)
      .sign(privateKey);
    answer(response, 200, { access_token, token_type: "bearer", expires_in: project.tokenSeconds, refresh_token });
  };
  const byRefreshToken = (response: ServerResponse, token: string): void => {
    const found = grants.get(token);
    const isSpent = found?.next !== undefined && grants.get(found.next)?.next !== undefined;
    if (found === undefined || !project.people.has(found.email)) refuse(response, 400, "refresh_token_not_found");
    else if (isSpent) refuse(response, 400, "refresh_token_already_used");
    else void grant(response, found.email, token);
  };

  const token = async (type: string | null, body: Record<string, string>, response: ServerResponse): Promise<void> => {
    const { email = "", password, auth_code = "", code_verifier = "", refresh_token = "" } = body;
    project.asked.set(String(type), (project.asked.get(String(type)) ?? 0) + 1);
    if (type === "refresh_token") return byRefreshToken(response, refresh_token);
    if (type === "password") {
      if (password !== undefined && project.people.get(email) === password) return grant(response, email);
      return refuse(response, 400, "invalid_credentials");
    }
    const code = codes.get(auth_code);
    codes.delete(auth_code);
    const challenge = createHash("sha256").update(code_verifier).digest("base64url");
    if (code === undefined || code.challenge !== challenge) return refuse(response, 400, "bad_code_verifier");
    return grant(response, code.email);
  };

  const otp = (url: URL, body: Record<string, unknown>, response: ServerResponse): void => {
    const { email, create_user, code_challenge, code_challenge_method } = body;
    if (code_challenge_method !== "s256" || create_user !== false) {
      refuse(response, 400, "validation_failed");
      return;
    }
    if (!project.people.has(String(email))) {
      refuse(response, 422, "otp_disabled");
      return;
    }
    const code = randomUUID();
    codes.set(code, { email: String(email), challenge: String(code_challenge) });
    const link = new URL(url.searchParams.get("redirect_to") ?? "");
    link.searchParams.set("code", code);
    project.sent.push({ to: String(email), link: link.href });
    answer(response, 200, {});
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", project.url);
    if (url.pathname === "/auth/v1/.well-known/jwks.json") return answer(response, 200, { keys: [jwk] });
    if (project.fault === "hangs") {
      hanging.add(response);
      return;
    }
    if (project.fault === "garbage") {
      response.end("<html>");
      return;
    }
    if (project.fault !== undefined) return refuse(response, Number(project.fault), "as_asked");
    if (request.headers["apikey"] !== project.key) return answer(response, 401, { message: "No API key found" });
    void jsonOf(request).then((body) => {
      if (url.pathname === "/auth/v1/token") return token(url.searchParams.get("grant_type"), body, response);
      if (url.pathname === "/auth/v1/otp") return otp(url, body, response);
      return answer(response, 404, {});
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const project: SupabaseDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: "sb_publishable_kelp",
    people: new Map(),
    sent: [],
    asked: new Map(),
    fault: undefined,
    tokenSeconds: 3_600,
    async [Symbol.asyncDispose]() {
      for (const response of hanging) response.destroy();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return project;
}

async function jsonOf(request: IncomingMessage): Promise<Record<string, string>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString()) as Record<string, string>;
}
