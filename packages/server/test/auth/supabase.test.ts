/**
 * A Supabase project's own sign-in at a real server: password, link by e-mail, renewal, and a project that misbehaves.
 *
 * Seen red: with a project that is away taken for a refusal; with the refresh token in clear; without the browser's ticket;
 * with `create_user`; with a session that a refused renewal leaves alive.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createServer, type Server, supabaseIssuer } from "../../src/index.ts";
import { type SupabaseDouble, startSupabase } from "../support/supabaseProject.ts";
import { collectLog } from "./authWorld.ts";

const data = mkdtempSync(join(tmpdir(), "holdfast-supabase-"));
const { lines, log } = collectLog();
const ada = { email: "ada@kelp.example", password: "canary password" };
let project: SupabaseDouble;
let server: Server;

beforeAll(async () => {
  project = await startSupabase();
  project.people.set(ada.email, ada.password);
  server = await createServer({
    app: new URL("../support/notesApp.ts", import.meta.url),
    data,
    log,
    page: data,
    pagePaths: ["/", "/threads/*"],
    issuers: [supabaseIssuer({ url: project.url, role: "operator" })],
    supabase: { url: project.url, publishableKey: project.key },
  });
});
afterAll(async () => {
  await server?.close();
  await project?.[Symbol.asyncDispose]();
  rmSync(data, { recursive: true, force: true });
});
afterEach(() => {
  project.fault = undefined;
  project.people.set(ada.email, ada.password);
});

/** A browser: its cookies, and what it was answered. */
function browser() {
  const jar = new Map<string, string>();
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(server.url + path, {
      method,
      redirect: "manual",
      headers: {
        origin: server.url,
        cookie: [...jar].map((pair) => pair.join("=")).join("; "),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (value === "" || /expires=Thu, 01 Jan 1970/i.test(set)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  };
  const cookie = (part: string): string | undefined => [...jar].find(([name]) => name.includes(part))?.[1];
  const session = async (): Promise<Record<string, unknown>> =>
    (await (await ask("GET", "/api/session")).json()) as Record<string, unknown>;
  const forget = (part: string): void => {
    for (const name of jar.keys()) if (name.includes(part)) jar.delete(name);
  };
  return { ask, cookie, session, forget, jar };
}

async function signedIn() {
  const one = browser();
  const answer = await one.ask("POST", "/api/sign-in/password", ada);
  expect([answer.status, await answer.json()]).toMatchObject([200, { user: { name: "ada", role: "operator" } }]);
  return one;
}

describe("by password", () => {
  test("[F35] [O8] gives a session of ours; what renews it is sealed, and no token reaches a script", async () => {
    const one = await signedIn();
    expect(await one.session()).toMatchObject({ user: { name: "ada" }, passwords: true });
    expect(one.cookie("grant")).not.toMatch(/^[0-9a-f]{8}-/);
    const again = await one.ask("POST", "/api/sign-in/password", ada);
    expect(again.headers.getSetCookie()).toHaveLength(2);
    for (const set of again.headers.getSetCookie()) expect(set).toMatch(/HttpOnly; SameSite=Lax/);
    expect(await again.text()).not.toMatch(/token|eyJ/);
  });

  test("[AU-4] tells a wrong password and an unknown address alike, a project that is away never as a refusal", async () => {
    const one = browser();
    const wrong = await one.ask("POST", "/api/sign-in/password", { ...ada, password: "another" });
    const unknown = await one.ask("POST", "/api/sign-in/password", { ...ada, email: "eve@kelp.example" });
    const [first, second] = [await wrong.json(), await unknown.json()] as { detail: string }[];
    expect([wrong.status, unknown.status, first?.detail]).toEqual([401, 401, second?.detail]);
    for (const [fault, status] of [
      ["500", 503],
      ["garbage", 503],
      ["429", 429],
    ] as const) {
      project.fault = fault;
      const answer = await one.ask("POST", "/api/sign-in/password", ada);
      expect([fault, answer.status, answer.headers.get("retry-after")]).toEqual([fault, status, expect.any(String)]);
    }
    expect(one.jar.size).toBe(0);
  });
});

describe("by a link in an e-mail", () => {
  test("[AU-5] signs in the browser that asked, on the page that it came from, once", async () => {
    const one = browser();
    const asked = await one.ask("POST", "/api/sign-in/link", { email: ada.email, returnTo: "/threads/t1" });
    expect(asked.status).toBe(202);
    const { to, link } = project.sent.at(-1) ?? { to: "", link: "" };
    expect(to).toBe(ada.email);
    const path = link.slice(server.url.length);
    // Somebody else's browser, or the same link sent to somebody else.
    const elsewhere = await browser().ask("GET", path);
    expect([elsewhere.status, elsewhere.headers.get("location")]).toEqual([303, "/?sign-in=elsewhere"]);
    const back = await one.ask("GET", path);
    expect([back.status, back.headers.get("location")]).toEqual([303, "/threads/t1"]);
    expect(await one.session()).toMatchObject({ user: { name: "ada" } });
    expect((await one.ask("GET", path)).headers.get("location")).toBe("/?sign-in=elsewhere");
  });

  test("says the same of an unknown address and makes no user of it; an expired link is over", async () => {
    const one = browser();
    const sent = project.sent.length;
    expect((await one.ask("POST", "/api/sign-in/link", { email: "eve@kelp.example" })).status).toBe(202);
    expect([project.sent.length, project.people.has("eve@kelp.example")]).toEqual([sent, false]);
    const over = await one.ask("GET", "/auth/supabase/callback?error=access_denied&error_code=otp_expired");
    expect(over.headers.get("location")).toBe("/?sign-in=over");
  });
});

describe("renewal", () => {
  test("[AU-7] goes by the project, with a new sealed token each time, also when the session is over", async () => {
    const one = await signedIn();
    const before = [one.cookie("session"), one.cookie("grant")];
    const asked = project.asked.get("refresh_token") ?? 0;
    expect((await one.ask("POST", "/api/session/refresh", {})).status).toBe(200);
    expect(project.asked.get("refresh_token")).toBe(asked + 1);
    expect([one.cookie("session"), one.cookie("grant")]).not.toEqual(before);
    one.forget("session");
    expect(await one.session()).toMatchObject({ user: null, renewable: true });
    expect((await one.ask("POST", "/api/session/refresh", {})).status).toBe(200);
    expect(await one.session()).toMatchObject({ user: { name: "ada" } });
  });

  test("[CL-7] while the project is away nobody is signed out; whom it has put out is out", async () => {
    const one = await signedIn();
    for (const fault of ["500", "garbage", "429"] as const) {
      project.fault = fault;
      expect((await one.ask("POST", "/api/session/refresh", {})).status).toBeGreaterThanOrEqual(429);
      expect(await one.session()).toMatchObject({ user: { name: "ada" } });
    }
    project.fault = undefined;
    project.people.delete(ada.email);
    expect((await one.ask("POST", "/api/session/refresh", {})).status).toBe(401);
    expect(one.jar.size).toBe(0);
    const { user } = await one.session();
    expect(user).toBeNull();
  });

  test("a sign-out, and a sign-in by a link of ours, leave nothing of the project's; a changed grant is none", async () => {
    const one = await signedIn();
    await one.ask("POST", "/api/session", { code: await server.signInCode() });
    expect([one.cookie("grant"), (await one.session())["user"]]).toMatchObject([undefined, { id: "owner" }]);
    const two = await signedIn();
    expect((await two.ask("DELETE", "/api/session", {})).status).toBe(204);
    expect(two.jar.size).toBe(0);
    const three = await signedIn();
    const [name = ""] = [...three.jar.keys()].filter((key) => key.includes("grant"));
    three.jar.set(name, `${three.cookie("grant")?.slice(0, -4)}AAAA`);
    three.forget("session");
    expect((await three.ask("POST", "/api/session/refresh", {})).status).toBe(401);
  });
});

test("[W5] [L2] neither address, password, code nor token is in the log; nothing of it is worth a warning but the outage", () => {
  const text = JSON.stringify(lines);
  expect(text).not.toMatch(/canary|@kelp|eyJ|code=|sb_publishable/);
  const worrying = lines.filter(({ level }) => level === "warn" || level === "error").map(({ event }) => event);
  expect([...new Set(worrying)]).toEqual(["auth.provider_away"]);
});
