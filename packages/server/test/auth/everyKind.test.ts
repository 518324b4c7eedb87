/** Every kind of credential at a real server over real sockets: each signs in, and the log has nothing to worry about. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerMessage } from "@holdfast/protocol";
import { type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createServer, type Server, supabaseIssuer } from "../../src/index.ts";
import { type IdentityProvider, startIdentityProvider } from "../support/identityProvider.ts";
import { makeHello } from "../support/world.ts";
import { collectLog } from "./authWorld.ts";

const secret = "the legacy secret of a project, long enough for HS256";
const legacy = "https://legacy.supabase.co";
const data = mkdtempSync(join(tmpdir(), "holdfast-kinds-"));
const { lines, log } = collectLog();

let provider: IdentityProvider;
let server: Server;

beforeAll(async () => {
  provider = await startIdentityProvider();
  server = await createServer({
    app: new URL("../support/notesApp.ts", import.meta.url),
    data,
    log,
    issuers: [
      { issuer: provider.url, jwksUrl: provider.jwksUrl, role: "operator" },
      { ...supabaseIssuer({ url: legacy, secret }), jwksUrl: `${provider.url}/nowhere` },
    ],
    providers: [{ id: "kelp", name: "Kelp ID", issuer: provider.url, clientId: provider.client.id, role: "admin" }],
  });
});
afterAll(async () => {
  await server?.close();
  await provider?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
});

type Welcome = Extract<ServerMessage, { type: "welcome" }>;

/** Opens by what the upgrade or the hello carries; the first message of the server. */
async function open(
  protocols: string[],
  headers: Readonly<Record<string, string>>,
  hello: object,
): Promise<ServerMessage | undefined> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`, protocols, { headers });
  try {
    return await new Promise((resolve, reject) => {
      socket.on("open", () => socket.send(JSON.stringify([makeHello(hello)])));
      socket.on("message", (text) => resolve((JSON.parse(String(text)) as ServerMessage[])[0]));
      socket.on("error", reject);
    });
  } finally {
    socket.close();
  }
}

/** Three ways to state the same token (AU-1). */
async function byToken(token: string): Promise<Welcome["user"][]> {
  const answers = [
    await open(["holdfast.v1"], {}, { token }),
    await open(["holdfast.v1", `bearer.${token}`], {}, {}),
    await open(["holdfast.v1"], { authorization: `Bearer ${token}` }, {}),
  ];
  return answers.map((answer) => {
    expect(answer?.type).toBe("welcome");
    return (answer as Welcome).user;
  });
}

async function byCookie(response: Response): Promise<Welcome["user"]> {
  const set = response.headers.getSetCookie().find((one) => one.startsWith("holdfast_session_")) ?? "";
  const answer = await open(["holdfast.v1"], { cookie: set.split(";")[0] ?? "", origin: server.url }, {});
  expect(answer?.type).toBe("welcome");
  return (answer as Welcome).user;
}

const seconds = (): number => Math.floor(Date.now() / 1_000);

const kinds: Readonly<Record<string, () => Promise<void>>> = {
  "a link's code, as a cookie": async () => {
    const headers = { "content-type": "application/json", origin: server.url };
    const body = JSON.stringify({ code: await server.signInCode() });
    const answer = await fetch(`${server.url}/api/session`, { method: "POST", headers, body });
    expect(await byCookie(answer)).toMatchObject({ id: "owner", role: "admin" });
  },
  "an operator's key": async () => {
    for (const user of await byToken(await server.operatorKey())) expect(user).toMatchObject({ id: "owner" });
  },
  "an agent's key": async () => {
    const token = await server.agentKey("shell");
    const agent = { name: "shell", kind: "shell", host: "h", capabilities: [], process: randomUUID(), open: [] };
    expect(await open(["holdfast.v1"], {}, { token, agent })).toMatchObject({
      type: "welcome",
      agent: { id: "shell" },
    });
  },
  "an issuer's token, by its key set": async () => {
    const token = await provider.sign({ sub: "ada-1", name: "Ada", exp: seconds() + 600 });
    for (const user of await byToken(token)) expect(user).toMatchObject({ name: "Ada", role: "operator" });
  },
  "an older Supabase project's token, by its secret": async () => {
    const claims: JWTPayload = {
      iss: `${legacy}/auth/v1`,
      sub: randomUUID(),
      aud: "authenticated",
      exp: seconds() + 600,
    };
    const token = await new SignJWT({ ...claims, email: "grace@example.org" })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .sign(new TextEncoder().encode(secret));
    for (const user of await byToken(token)) expect(user).toMatchObject({ name: "grace@example.org", role: "viewer" });
  },
  "a provider's page, as a cookie": async () => {
    provider.person = { sub: "kim-1", name: "Kim" };
    const begun = await fetch(`${server.url}/auth/kelp/start`, { redirect: "manual" });
    const ticket = begun.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const there = await fetch(begun.headers.get("location") ?? "", { redirect: "manual" });
    const answer = await fetch(there.headers.get("location") ?? "", {
      redirect: "manual",
      headers: { cookie: ticket },
    });
    expect(answer.headers.get("location")).toBe("/");
    expect(await byCookie(answer)).toMatchObject({ name: "Kim", role: "admin" });
  },
};

test.each(Object.entries(kinds))("[F04] [AU-3] %s signs in, and nothing of it is a warning", async (_kind, signIn) => {
  lines.length = 0;
  await signIn();
  expect(lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
});
