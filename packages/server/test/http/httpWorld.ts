/** The HTTP door over real sign-in, with a built page in a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { hostOriginSettings } from "../../src/auth/hostOrigin.ts";
import type { CodeFlow } from "../../src/auth/oidc/codeFlow.ts";
import { callbackPath } from "../../src/auth/oidc/settings.ts";
import { defaultFeatures } from "../../src/flags/features.ts";
import { createHttp } from "../../src/http/app.ts";
import type { Health, Readiness } from "../../src/http/healthRoutes.ts";
import { silentObserver } from "../../src/observe/observer.ts";
import type { Mode } from "../../src/options.ts";
import { type AuthWorld, openAuth } from "../auth/authWorld.ts";
import { plugin as notes } from "../support/notesApp.ts";

export const port = 4400;
export const ownOrigin = `http://127.0.0.1:${port}`;
export const sessionCookie = `holdfast_session_${port}`;
export const browserCookie = `holdfast_browser_${port}`;

const pagePaths = ["/", "/agents", "/agents/*", "/threads", "/threads/*"];

export interface HttpWorld {
  readonly app: FastifyInstance;
  readonly world: AuthWorld;
  /** What the node says of itself. */
  readonly health: { readiness: Readiness; degraded?: Health["degraded"] };
  /** Who asked for what weather. */
  readonly weathered: readonly string[];
  /** A request of our own page: the right Host and Origin, JSON where there is a body. */
  ask(method: string, url: string, options?: Asked): Promise<LightMyRequestResponse>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Asked {
  readonly body?: unknown;
  readonly cookie?: string;
  readonly from?: string;
  /** Beside or instead of the page's own. */
  readonly headers?: Record<string, string | string[]>;
}

export async function openHttp(
  mode: Mode = "local",
  listening = false,
  flowsIn: (world: AuthWorld) => readonly CodeFlow[] = () => [],
): Promise<HttpWorld> {
  const world = await openAuth(mode);
  const flows = flowsIn(world);
  const callbackPaths = flows.map(({ settings: { id } }) => callbackPath(id));
  const page = buildPage();
  const health: HttpWorld["health"] = { readiness: "ready" };
  const weathered: string[] = [];
  const settings = () =>
    hostOriginSettings({
      port: listening ? portOf(app) : port,
      origins: ["http://localhost:5173"],
      pagePaths,
      callbackPaths,
    });
  const app: FastifyInstance = createHttp({
    settings,
    isProxy: () => false,
    auth: world.auth,
    flows,
    signInLinks: true,
    openingsPerSecond: 500,
    faults: [],
    methods: notes.methods,
    features: ({ name }) => ({ ...defaultFeatures, tabSharing: name !== "Owner" }),
    disturb: (caller, weather) => {
      weathered.push(`${caller.id} ${weather}`);
      return weathered.length;
    },
    context: {
      log: world.logger,
      clock: world.clock,
      observer: silentObserver,
      method: (name) => notes.methods[name],
      store: { query: async () => ({ outcome: { ok: true, value: { items: [] } }, faults: [] }) },
      committer: { submit: (operation, done) => done({ ok: true, value: operation }) },
      refusedDeeds: { refused: () => {} },
    },
    mode,
    version: "0.1.0",
    page,
    pagePaths,
    log: world.logger,
    clock: world.clock,
    random: world.random,
    readiness: () => health.readiness,
    metrics: { contentType: "text/plain", text: async () => "holdfast_build_info 1\n" },
    health: () => ({ store: "sqlite", ...(health.degraded && { degraded: health.degraded }) }),
  });
  if (listening) await app.listen({ host: "127.0.0.1", port: 0 });
  else await app.ready();
  return {
    app,
    world,
    health,
    weathered,
    ask: (method, url, options = {}) => app.inject(request(method, url, options)),
    async [Symbol.asyncDispose]() {
      await app.close();
      await world[Symbol.asyncDispose]();
      rmSync(page, { recursive: true });
    },
  };
}

export function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function request(method: string, url: string, { body, cookie, from, headers }: Asked): InjectOptions {
  const reading = method === "GET" || method === "HEAD";
  return {
    method: method as "GET",
    url,
    headers: {
      host: `127.0.0.1:${port}`,
      ...(reading ? {} : { origin: ownOrigin, "content-type": "application/json" }),
      ...(cookie === undefined ? {} : { cookie }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(from === undefined ? {} : { remoteAddress: from }),
  };
}

function buildPage(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-page-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Holdfast</title>");
  writeFileSync(join(folder, "favicon.svg"), "<svg/>");
  writeFileSync(join(folder, ".secret"), "hidden");
  writeFileSync(join(folder, "assets", "index-Ab12.js"), "export {};");
  return folder;
}
