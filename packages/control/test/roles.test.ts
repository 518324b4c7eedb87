/**
 * Every method of a real server, asked by every role: only who may is let past the door (T9).
 *
 * The methods are those that the server itself lists; one that the table below does not know must be an admin's, so that
 * nobody adds one for others without saying so here. What lies behind the door (whose thread, whose session) is other tests' affair.
 */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "@holdfast/server";
import { afterAll, beforeAll, expect, test } from "vitest";

const roles = ["nobody", "viewer", "operator", "admin", "agent"] as const;
type Role = (typeof roles)[number];
type Person = "viewer" | "operator" | "admin";
const rank: Readonly<Record<Person, number>> = { viewer: 0, operator: 1, admin: 2 };

/** The least that a person must be. */
const least: Readonly<Record<string, Person>> = {
  "agent.list": "viewer",
  "agent.get": "viewer",
  "agent.remove": "admin",
  "thread.list": "viewer",
  "session.list": "viewer",
  "session.revoke": "viewer",
  "key.create": "admin",
  "key.list": "admin",
  "key.revoke": "admin",
  "thread.get": "viewer",
  "thread.read": "viewer",
  "thread.search": "viewer",
  "thread.markRead": "viewer",
  "thread.rename": "operator",
  "command.send": "operator",
  "command.interrupt": "operator",
  "command.retry": "operator",
  "command.cancel": "operator",
  "thread.archive": "operator",
  "thread.create": "operator",
  "terminal.write": "operator",
  "terminal.resize": "operator",
  "user.list": "admin",
  "user.invite": "admin",
  "user.link": "admin",
  "user.setRole": "admin",
  "user.remove": "admin",
  "diagnostics.get": "admin",
};

/** An agent publishes; it asks for what was said before, in its own threads, and for nothing else. */
const forAgents: ReadonlySet<string> = new Set(["thread.read"]);

const secret = "a secret that is long enough for HS256";
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const issuerOf = (role: Person): string => `https://${role}.example.org`;
const data = mkdtempSync(join(tmpdir(), "holdfast-roles-"));
let server: Server;
const credentials = new Map<Role, string>();

beforeAll(async () => {
  const issuers = (Object.keys(rank) as Person[]).map((role) => ({ issuer: issuerOf(role), secret, role }));
  server = await createServer({ app: new URL("../src/plugin.ts", import.meta.url), data, issuers, log: silent });
  for (const { role } of issuers) credentials.set(role, tokenOf(role));
  credentials.set("agent", await server.agentKey("roles"));
});
afterAll(async () => {
  await server?.close();
  rmSync(data, { recursive: true, force: true });
});

function tokenOf(role: Person): string {
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const text = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded({ iss: issuerOf(role), sub: role, exp })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

async function methodsOfServer(): Promise<string[]> {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: object };
  return Object.keys(paths).flatMap((path) => /^\/api\/([a-z]+\.\w+)$/i.exec(path)?.[1] ?? []);
}

/** What may follow the door: an answer, or what is wrong with params that are empty. */
const past = [200, 202, 404, 409, 422];

function expected(role: Role, method: string): readonly number[] {
  if (role === "nobody") return [401];
  if (role === "agent") return forAgents.has(method) ? past : [403];
  return rank[role] >= rank[least[method] ?? "admin"] ? past : [403];
}

test("[T9] each method answers those roles that it is for, and no other", async () => {
  const methods = await methodsOfServer();
  expect(Object.keys(least).filter((method) => !methods.includes(method))).toEqual([]);
  const wrong: string[] = [];
  for (const method of methods) {
    for (const role of roles) {
      const token = credentials.get(role);
      const answer = await fetch(`${server.url}/api/${method}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: "{}",
      });
      if (!expected(role, method).includes(answer.status))
        wrong.push(`${role} asks ${method}: ${answer.status} ${await answer.text()}`);
    }
  }
  expect(wrong).toEqual([]);
});
