/** [F79] Production refuses to start with less than what people rely on; and links sign people in only where asked for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { createServer, type ServerOptions, StartError } from "../src/index.ts";
import { settingsOf } from "../src/settings.ts";

const pem = (name: string): string => fileURLToPath(new URL(`./support/tls/${name}.pem`, import.meta.url));
const tls = { cert: pem("cert"), key: pem("key") };
const publicUrl = "https://fleet.example.com";
const app = new URL("./support/notesApp.ts", import.meta.url);
const provider = { id: "work", name: "Work", issuer: "https://id.example.com", clientId: "holdfast" };

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const production = (options: Partial<ServerOptions>) =>
  settingsOf({ app, data: "/nowhere", mode: "production", ...options });

describe("production", () => {
  it.each<[string, Partial<ServerOptions>]>([
    ["a public name on https and links that were asked for", { publicUrl, signInLinks: true }],
    ["TLS files and a provider", { tls, providers: [provider] }],
    ["an app that asks who somebody is", { publicUrl, authenticate: async () => null }],
  ])("[F79] starts with %s", (_title, options) => {
    expect(production(options)).toMatchObject({ mode: "production" });
  });

  it.each<[string, Partial<ServerOptions>, RegExp]>([
    ["without encryption", { signInLinks: true }, /without encryption: give --public-url.*--tls-cert/],
    ["on http", { publicUrl: "http://localhost:4400", signInLinks: true }, /without encryption/],
    ["where nobody can sign in", { publicUrl }, /no way to sign in: name a provider.*signIn\.links/],
    ["where links are refused and nothing else is there", { tls, signInLinks: false }, /no way to sign in/],
  ])("[F79] refuses to start %s, in one sentence", (_title, options, sentence) => {
    expect(() => production(options)).toThrow(StartError);
    expect(() => production(options)).toThrow(sentence);
    expect(() => production(options)).toThrow(/^[^\n]*\.$/);
  });

  it("links are off in production unless asked for, and on elsewhere unless refused", () => {
    expect(production({ publicUrl, providers: [provider] }).signInLinks).toBe(false);
    expect(settingsOf({ app, data: "/nowhere" }).signInLinks).toBe(true);
  });
});

describe("a server whose links are off", () => {
  it("makes no code, redeems none, gives the operator none, and says why; its mode and store are told", async () => {
    const data = mkdtempSync(join(tmpdir(), "holdfast-production-"));
    cleanUps.push(() => rmSync(data, { recursive: true, force: true }));
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const server = await createServer({ app, data, log, mode: "production", publicUrl, providers: [provider] });
    cleanUps.push(() => server.close());
    await expect(server.signInCode()).rejects.toThrow(/signIn\.links/);
    const at = `http://127.0.0.1:${server.port}`;
    const post = (path: string, body: object, headers: Record<string, string> = {}) =>
      fetch(at + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      });
    const asked = await post("/api/session", { code: "ABCDEFGH" });
    expect([asked.status, await asked.json()]).toMatchObject([403, { code: "forbidden" }]);
    const operator = await post("/api/sign-in-codes", {}, { authorization: `Bearer ${await server.operatorKey()}` });
    expect(operator.status).toBe(403);
    expect(((await operator.json()) as { detail: string }).detail).toMatch(/signIn\.links/);
    expect(await (await fetch(`${at}/healthz`)).json()).toMatchObject({ mode: "production", store: "sqlite" });
  });
});
