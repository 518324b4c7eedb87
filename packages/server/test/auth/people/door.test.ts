/** People at real servers: over HTTP, with a real link, on SQLite and on two servers over one PostgreSQL. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createServer, type Server, type ServerOptions } from "../../../src/index.ts";
import { contractApp, newId } from "../../store/contract/implementation.ts";
import { type PostgresServer, startPostgres } from "../../support/postgresServer.ts";
import { makeHello } from "../../support/world.ts";

const startMsMax = 60_000;
/** AU-9: where the bus delivers. */
const closedMsMax = 1_000;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let postgres: PostgresServer;
const cleanUps: (() => unknown)[] = [];
beforeAll(async () => {
  postgres = await startPostgres();
}, startMsMax);
afterAll(() => postgres.end(), startMsMax);
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}, startMsMax);

async function start(options: Partial<ServerOptions> = {}): Promise<Server> {
  const data = mkdtempSync(join(tmpdir(), "holdfast-people-"));
  cleanUps.push(() => rmSync(data, { recursive: true, force: true }));
  const server = await createServer({ app: contractApp, data, log: silent, ...options });
  cleanUps.push(() => server.close());
  return server;
}

/** A call of the page, with a session's value where somebody is signed in. */
async function call(
  server: Server,
  method: string,
  body: object,
  session = "",
  key: string = newId(),
): Promise<{ status: number; body: Readonly<Record<string, unknown>>; session: string }> {
  const answer = await fetch(`${server.url}/api/${method}`, {
    method: "POST",
    headers: {
      origin: server.url,
      "content-type": "application/json",
      "idempotency-key": key,
      cookie: `${cookieName(server)}=${session}`,
    },
    body: JSON.stringify(body),
  });
  const given = answer.headers.getSetCookie()[0]?.split(";")[0]?.split("=")[1] ?? "";
  return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>>, session: given };
}

const cookieName = ({ port }: Server): string => `holdfast_session_${port}`;

async function ownerOf(server: Server): Promise<string> {
  const { session } = await call(server, "session", { code: await server.signInCode() });
  return session;
}

interface Page {
  /** By what code it closes, and when: ms of `performance`. */
  readonly closed: Promise<{ readonly code: number; readonly at: number }>;
}

/** A page that was welcomed. */
async function connect(server: Server, session: string): Promise<Page> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`, ["holdfast.v1"], {
    headers: { cookie: `${cookieName(server)}=${session}`, origin: server.url },
  });
  cleanUps.push(() => socket.terminate());
  const closed: Page["closed"] = new Promise((done) =>
    socket.once("close", (code) => done({ code, at: performance.now() })),
  );
  await new Promise((done, fail) => socket.once("open", done).once("error", fail));
  const first = new Promise((done) => socket.once("message", (text) => done(String(text))));
  socket.send(JSON.stringify([makeHello()]));
  expect(await first).toContain('"type":"welcome"');
  return { closed };
}

it.each([
  { store: "one server on SQLite", start: async () => Array<Server>(2).fill(await start()) },
  {
    store: "two servers on one PostgreSQL",
    start: async () => {
      const store = { url: await postgres.newDatabase() };
      return [await start({ store }), await start({ store })];
    },
  },
])(
  "[AU-9] [RQ-6] $store: invited, in by the link, made an operator, signed out elsewhere, removed",
  {
    timeout: startMsMax,
  },
  async ({ start: startBoth }) => {
    const [here, there] = (await startBoth()) as [Server, Server];
    const owner = await ownerOf(here);
    const key = newId();
    const invited = await call(here, "user.invite", { name: "Ada", role: "viewer" }, owner, key);
    expect(invited).toMatchObject({ status: 200, body: { role: "viewer" } });
    const { user, link } = invited.body as { user: string; link: string };
    expect((await call(here, "user.invite", { name: "Ada", role: "viewer" }, owner, key)).body).not.toHaveProperty(
      "link",
    );

    const code = new URL(link, there.url).hash.slice(1);
    const first = await call(there, "session", { code });
    expect(first).toMatchObject({ status: 200, body: { user: { id: user, name: "Ada", role: "viewer" } } });
    expect(await call(there, "session", { code })).toMatchObject({ status: 401 });
    expect(await call(there, "item.put", { id: "a", value: "no" }, first.session)).toMatchObject({ status: 403 });

    const asViewer = await connect(there, first.session);
    expect(await call(here, "user.setRole", { user, role: "operator" }, owner)).toMatchObject({ status: 200 });
    expect(await asViewer.closed).toMatchObject({ code: 1012 });
    expect(await call(there, "item.put", { id: "a", value: "yes" }, first.session)).toMatchObject({ status: 200 });

    const again = (await call(here, "user.link", { user }, owner)).body as { link: string };
    const second = await call(there, "session", { code: new URL(again.link, there.url).hash.slice(1) });
    const own = (await call(there, "session.list", {}, second.session)).body as {
      items: { id: string; current: boolean }[];
    };
    expect(own.items.map(({ current }) => current)).toEqual([true, false]);
    const [signedOut, kept] = [await connect(there, first.session), await connect(there, second.session)];
    const elsewhere = own.items.find(({ current }) => !current)?.id;
    expect(await call(here, "session.revoke", { session: elsewhere }, owner)).toMatchObject({ status: 200 });
    expect(await signedOut.closed).toMatchObject({ code: 4403 });
    expect(await call(there, "item.list", {}, first.session)).toMatchObject({ status: 401 });

    const { body: made } = await call(here, "key.create", { name: "nightly", role: "operator" }, owner);
    const byKey = (): Promise<Response> =>
      fetch(`${there.url}/api/item.list`, {
        method: "POST",
        headers: { authorization: `Bearer ${made["secret"]}`, "content-type": "application/json" },
        body: "{}",
      });
    expect((await byKey()).status).toBe(200);
    expect((await call(there, "key.list", {}, owner)).body).toMatchObject({
      items: [{ name: "nightly", by: "owner" }],
    });
    expect(await call(here, "key.revoke", { key: made["key"] }, owner)).toMatchObject({ status: 200 });
    await expect.poll(async () => (await byKey()).status, { timeout: closedMsMax }).toBe(403);

    const everybody = (await call(here, "user.list", {}, owner)).body;
    expect(everybody).toMatchObject({ items: [{ name: "Ada", role: "operator", sessions: 1 }, { id: "owner" }] });
    const began = performance.now();
    expect(await call(here, "user.remove", { user }, owner)).toMatchObject({ status: 200, body: { sessions: 1 } });
    const { code: closeCode, at } = await kept.closed;
    expect(closeCode).toBe(4403);
    expect(at - began).toBeLessThan(closedMsMax);
    expect(await call(there, "item.list", {}, second.session)).toMatchObject({ status: 401 });
    expect(await call(here, "user.setRole", { user: "owner", role: "viewer" }, owner)).toMatchObject({
      status: 409,
      body: { code: "conflict" },
    });
  },
);

it("a server where links sign nobody in makes none, and manages its people all the same", async () => {
  const server = await start({ signInLinks: false });
  const key = await server.operatorKey();
  const asked = async (method: string, body: object): Promise<number> => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    return (await fetch(`${server.url}/api/${method}`, { method: "POST", headers, body: JSON.stringify(body) })).status;
  };
  expect(await asked("user.list", {})).toBe(200);
  expect(await asked("user.invite", { name: "Ada", role: "viewer" })).toBe(404);
  expect(await asked("user.link", { user: "owner" })).toBe(404);
});

it("a server whose app signs people in has none of these methods", async () => {
  const server = await start({ authenticate: () => ({ id: "ada", role: "admin" }) });
  for (const method of ["user.list", "user.invite", "session.list"])
    expect(await call(server, method, {})).toMatchObject({ status: 404, body: { code: "not_found" } });
});

it("[RQ-6] they are described like any other method", async () => {
  const server = await start();
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      "/api/user.list",
      "/api/user.invite",
      "/api/user.link",
      "/api/user.setRole",
      "/api/user.remove",
      "/api/session.list",
      "/api/session.revoke",
      "/api/key.create",
      "/api/key.list",
      "/api/key.revoke",
    ]),
  );
});
