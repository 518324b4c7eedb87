/**
 * A cookie as credential, and what HTTP tells where the socket cannot (AU-7, CL-7, CL-10); faults that the server
 * names (TR-4).
 *
 * Seen red: [AU-7] without `askOver` behind `expiring`, and with `refresh` forgotten as soon as `auth` was sent;
 * [CL-7] with every 503 read as signed out; [CL-10] with the question asked at each failure, and with the count kept
 * after a socket opened; [CL-2] with 4401 that never asks; [F74] with 4401 that asks who is signed in and not for a new cookie; [TR-4] with every code told each time; [CL-7] of HTTP calls
 * without the one question under way, and without the token in hand; [CL-7] of an issuer that is away with the backoff of
 * lost connections (30 s ± 50 %: 20 questions in 5 minutes).
 */
import type { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { askOver } from "../src/http.ts";
import { error } from "./support/modelServer.ts";
import { makeRandom } from "./support/random.ts";
import { publisherScenario, type Scenario, scenario } from "./support/scenario.ts";
import { SimClock } from "./support/simClock.ts";

const refreshes = ({ server }: Scenario): number => server.asked.filter((asked) => asked.startsWith("POST")).length;
const questions = ({ server }: Scenario): number => server.asked.filter((asked) => asked === "GET /api/session").length;
const auths = ({ server }: Scenario): unknown[] => server.last.received.filter((message) => message.type === "auth");

async function expiring(world: Scenario): Promise<void> {
  await world.clock.advance(100);
  world.server.send(world.server.last, { type: "expiring", in: 60_000 });
  await world.clock.advance(100);
}

describe("[AU-7] a cookie that ends", () => {
  it("is refreshed once, then `auth {}`; the socket stays", async () => {
    const world = scenario();
    await expiring(world);
    expect(world.server.asked).toEqual(["POST /api/session/refresh"]);
    expect(auths(world)).toEqual([{ type: "auth" }]);
    expect(world.server.connections).toHaveLength(1);
    // The next end is refreshed as this one was.
    await expiring(world);
    expect([refreshes(world), auths(world).length]).toEqual([2, 2]);
  });

  it("one question is under way, however often it is announced", async () => {
    const world = scenario({ http: () => new Promise(() => {}) });
    await expiring(world);
    await expiring(world);
    expect(auths(world)).toEqual([]);
    const { clock, server } = scenario();
    server.authAnswer = () => ({ type: "pong", n: 0 });
    await expiring({ clock, server } as Scenario);
    await expiring({ clock, server } as Scenario);
    expect(server.asked).toHaveLength(1);
  });

  it.each(["auth_failed", "auth_unavailable"] as const)("asks again where the server answers %s", async (code) => {
    const told: ProtocolError[] = [];
    const world = scenario({ onProblem: (problem) => void told.push(problem) });
    world.server.authAnswer = () => ({ type: "error", ...error(code, code === "auth_unavailable") });
    await expiring(world);
    world.server.authAnswer = () => ({ type: "authenticated", expiresAt: 1 });
    expect(auths(world)).toHaveLength(1);
    await world.clock.advance(4_800);
    expect(auths(world)).toHaveLength(1);
    await world.clock.advance(2_000);
    expect([refreshes(world), auths(world).length]).toEqual([2, 2]);
    expect(told).toEqual([]);
  });

  it("[CL-7] a server that cannot be reached is asked again; nothing is lost meanwhile", async () => {
    const world = scenario();
    let reachable = false;
    world.server.http = async () => {
      if (reachable) return { status: 200, body: {} };
      throw new TypeError("fetch failed");
    };
    await expiring(world);
    await world.clock.advance(10_000);
    expect(auths(world)).toEqual([]);
    reachable = true;
    await world.clock.advance(20_000);
    expect(auths(world)).toEqual([{ type: "auth" }]);
    expect([world.session.state.kind, world.server.connections.length]).toEqual(["live", 1]);
  });

  it("of a session that is over: the connection lasts to its end, then it is signed out", async () => {
    const world = scenario();
    world.server.http = async (asked) =>
      asked.startsWith("POST") ? { status: 401, body: {} } : { status: 200, body: { user: null, mode: "local" } };
    await expiring(world);
    await world.clock.advance(30_000);
    expect([refreshes(world), world.session.state.kind]).toEqual([1, "live"]);
    world.server.close(world.server.last, 4401, "the credential has ended");
    await world.clock.advance(100);
    expect(world.session.state).toEqual({ kind: "stopped", reason: "signed_out" });
  });

  it("a better token that could not be judged is sent again", async () => {
    const tokens = ["old", "new"];
    const world = scenario({ getToken: async () => tokens.shift() ?? "new" });
    world.server.authAnswer = () => ({ type: "error", ...error("auth_unavailable", true, { retryAfter: 1_000 }) });
    await expiring(world);
    world.server.authAnswer = () => ({ type: "authenticated" });
    await world.clock.advance(8_000);
    expect(auths(world)).toEqual([
      { type: "auth", token: "new" },
      { type: "auth", token: "new" },
    ]);
  });

  it("is nothing to a program with a token of its own, nor to an agent", async () => {
    const token = scenario({ getToken: async () => "opaque" });
    await expiring(token);
    expect(token.server.asked).toEqual([]);
    const agent = { name: "a", kind: "k", host: "h", capabilities: [], process: crypto.randomUUID(), open: [] };
    const world = publisherScenario({ agent: () => agent });
    await expiring(world);
    expect(world.server.asked).toEqual([]);
  });
});

describe("[CL-2] 4401 on a cookie", () => {
  const refused = (server: Scenario["server"]): void => {
    server.verdict = () => ({ kind: "bye", code: 4401 });
  };

  it("asks for a new one, and stops as signed_out where there is none", async () => {
    const world = scenario({}, refused);
    world.server.http = async () => ({ status: 401, body: {} });
    await world.clock.advance(60_000);
    expect([world.server.connections.length, refreshes(world), questions(world)]).toEqual([1, 1, 0]);
    expect(world.session.state).toEqual({ kind: "stopped", reason: "signed_out" });
    // A person who signed in again says so.
    world.server.verdict = () => ({ kind: "welcome" });
    world.session.reconnect();
    await world.clock.advance(100);
    expect(world.session.state.kind).toBe("live");
  });

  it("comes back where somebody is, at most three times and 5 s apart", async () => {
    const world = scenario({}, refused);
    await world.clock.advance(100);
    expect(world.session.state).toMatchObject({ kind: "waiting", reason: "auth_failed" });
    await world.clock.advance(120_000);
    const [first = 0, second = 0] = world.server.connections.map((connection) => connection.openedMs);
    expect(second - first).toBeGreaterThanOrEqual(5_000);
    expect(world.server.connections).toHaveLength(3);
    expect(world.session.state).toEqual({ kind: "stopped", reason: "auth_failed" });
  });

  it("[CL-7] [F74] waits where whoever renews it is away, and comes back by itself when they are", async () => {
    const world = scenario({}, refused);
    // What it has is over: so nobody is signed in, and that alone is no end.
    world.server.http = async (asked) =>
      asked.startsWith("POST") ? { status: 503, body: {} } : { status: 200, body: { user: null, mode: "local" } };
    await world.clock.advance(100);
    expect(world.session.state).toMatchObject({ kind: "waiting", reason: "auth_unavailable" });
    await world.clock.advance(600_000);
    expect(world.server.connections).toHaveLength(1);
    world.server.http = async () => ({ status: 200, body: { user: { id: "ada" }, mode: "local" } });
    world.server.verdict = () => ({ kind: "welcome" });
    await world.clock.advance(70_000);
    expect(world.session.state.kind).toBe("live");
  });
});

describe("[CL-7] while the issuer is away", () => {
  it.each([0, 0.5, 0.999_999])(
    "it is asked at most ten times in 5 minutes, and never a minute apart: %d",
    async (fraction) => {
      const asked: number[] = [];
      let clock: SimClock | undefined;
      const world = scenario({
        random: { ...makeRandom(1), fraction: () => fraction },
        getToken: () => {
          asked.push(clock?.monotonic() ?? 0);
          return Promise.reject(new TypeError("Failed to fetch"));
        },
      });
      clock = world.clock;
      await world.clock.advance(600_000);
      for (const first of asked)
        expect(asked.filter((at) => at >= first && at < first + 300_000).length).toBeLessThanOrEqual(10);
      const pauses = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
      expect(Math.max(...pauses)).toBeLessThan(55_000);
      expect(world.server.connections).toEqual([]);
    },
  );
});

describe("[CL-10] upgrades that do not open", () => {
  const closed = (server: Scenario["server"]): void => {
    server.refusesUpgrade = true;
  };

  it.each([
    ["origin refused", async () => ({ status: 403, body: {} })],
    ["server unreachable", async () => ({ status: 502, body: undefined })],
    ["server unreachable", () => Promise.reject(new TypeError("fetch failed"))],
  ] as const)("after three in a row HTTP is asked once: %s", async (reason, http) => {
    const world = scenario({}, closed);
    world.server.http = http;
    await world.clock.advance(1_200);
    expect([world.server.connections.length, world.server.asked.length]).toEqual([2, 0]);
    await world.clock.advance(10_000);
    expect(world.server.connections.length).toBeGreaterThan(2);
    expect(world.session.state).toMatchObject({ kind: "waiting", reason });
    await world.clock.advance(600_000);
    expect(questions(world)).toBe(1);
    expect(world.session.state).toMatchObject({ kind: "waiting", reason });
    world.server.refusesUpgrade = false;
    await world.clock.advance(60_000);
    expect(world.session.state.kind).toBe("live");
    world.server.refusesUpgrade = true;
    world.server.cut();
    await world.clock.advance(60_000);
    expect(questions(world)).toBe(2);
  });

  it("says nothing new where HTTP knows nothing of it", async () => {
    const world = scenario({}, closed);
    await world.clock.advance(60_000);
    expect(questions(world)).toBe(1);
    expect(world.session.state).toMatchObject({ kind: "waiting", reason: "closed 1006" });
  });

  it("stops a cookie's session where nobody is signed in; a token's goes on", async () => {
    const nobody = async () => ({ status: 200, body: { user: null, mode: "local" } });
    const world = scenario({}, closed);
    world.server.http = nobody;
    await world.clock.advance(60_000);
    expect(world.session.state).toEqual({ kind: "stopped", reason: "signed_out" });
    const token = scenario({ getToken: async () => "opaque" }, closed);
    token.server.http = nobody;
    await token.clock.advance(60_000);
    expect(token.session.state.kind).toBe("waiting");
  });

  it("an answer that comes during the next attempt is kept for the wait after it", async () => {
    let answer: (value: { status: number; body: unknown }) => void = () => {};
    const world = scenario({}, closed);
    world.server.http = () => new Promise((resolve) => (answer = resolve));
    while (world.server.asked.length === 0) await world.clock.advance(50);
    while (world.session.state.kind !== "connecting") await world.clock.advance(2);
    answer({ status: 403, body: {} });
    await world.clock.advance(20);
    expect(world.session.state).toMatchObject({ kind: "waiting", reason: "origin refused" });
  });
});

describe("[CL-7] HTTP calls of the page", () => {
  /** A JWT that says when it ends and nothing else. */
  const tokenOf = (name: string, endsMs: number): string =>
    `${name}.${btoa(JSON.stringify({ exp: endsMs / 1_000 }))}.signature`;

  function withTokens(lifeMs = 3_600_000) {
    const asked: string[] = [];
    let answer = (): void => {};
    const startMs = new SimClock().now();
    const world = scenario({
      getToken: (why) => {
        asked.push(why);
        const token = tokenOf(`t${asked.length}`, startMs + lifeMs * asked.length);
        return new Promise((resolve) => (answer = () => resolve(token)));
      },
    });
    return { ...world, asked, answer: () => answer() };
  }

  it("ask with the socket, once, and go out with its token until that ends", async () => {
    const { clock, server, session, asked, answer } = withTokens(60_000);
    const calls = [session.token(), session.token()];
    answer();
    await clock.advance(100);
    const [first] = await Promise.all(calls);
    expect(asked).toEqual(["first"]);
    expect([await session.token(), server.last.hello?.token]).toEqual([first, first]);
    await clock.advance(56_000);
    const fresh = session.token();
    answer();
    expect(await fresh).not.toBe(first);
    expect(asked).toEqual(["first", "expiring"]);
  });

  it("that were refused share one question, and the socket's refresh its answer", async () => {
    const { clock, server, session, asked, answer } = withTokens();
    answer();
    await clock.advance(100);
    const old = await session.token();
    const calls = [session.token(old), session.token(old)];
    server.send(server.last, { type: "expiring", in: 60_000 });
    await clock.advance(10);
    answer();
    await clock.advance(10);
    const [first, second] = await Promise.all(calls);
    expect(asked).toEqual(["first", "rejected"]);
    expect(first).toBe(second);
    expect(auths({ server } as Scenario)).toEqual([{ type: "auth", token: first }]);
    // One that was slower comes back with the old one, and needs no question.
    expect(await session.token(old)).toBe(first);
    expect(asked).toHaveLength(2);
  });

  it("by cookie: a refusal and the socket's end are one `POST /api/session/refresh`", async () => {
    const world = scenario();
    let answer: (value: { status: number; body: unknown }) => void = () => {};
    world.server.http = () => new Promise((resolve) => (answer = resolve));
    await world.clock.advance(100);
    expect([await world.session.token(), world.server.asked]).toEqual([null, []]);
    const calls = [world.session.token(null), world.session.token(null)];
    world.server.send(world.server.last, { type: "expiring", in: 60_000 });
    await world.clock.advance(10);
    answer({ status: 200, body: {} });
    await world.clock.advance(10);
    expect([await Promise.all(calls), refreshes(world), auths(world)]).toEqual([[null, null], 1, [{ type: "auth" }]]);
  });

  it("hear `auth_unavailable` where nobody can say, and null where nobody is signed in", async () => {
    const fails = scenario({ getToken: () => Promise.reject(new TypeError("fetch failed")) });
    await expect(fails.session.token()).rejects.toMatchObject({ code: "auth_unavailable" });
    const signedOut = scenario({ getToken: async () => null });
    expect(await signedOut.session.token()).toBeNull();
    expect(await signedOut.session.token("old")).toBeNull();
  });
});

describe("what HTTP says", () => {
  it.each([
    [200, { user: { id: "ada" }, mode: "local" }, "signedIn"],
    [200, { user: null, mode: "local" }, "signedOut"],
    [200, { user: null, mode: "development" }, "signedIn"],
    [200, undefined, "signedIn"],
    [401, {}, "signedOut"],
    [403, {}, "refused"],
    [404, undefined, "refused"],
    [429, {}, "unreachable"],
    [503, {}, "unreachable"],
  ] as const)("[AU-6] %i %j is %s", async (status, body, kind) => {
    expect(await askOver(async () => ({ status, body }))(false)).toEqual({ kind });
  });
});

describe("[TR-4] faults that the server names", () => {
  it("are counted, told once for each code, and stop nothing", async () => {
    const told: string[] = [];
    const { clock, server, session } = scenario({ onProblem: (problem) => void told.push(problem.code) });
    await clock.advance(100);
    for (const code of ["bad_message", "bad_message", "forbidden"] as const)
      server.send(server.last, { type: "error", ...error(code, false) });
    server.send(server.last, { type: "refused", of: "signal", stream: "s", error: error("not_found", false) });
    await clock.advance(100);
    expect(told).toEqual(["bad_message", "forbidden", "not_found"]);
    expect(session.statistics).toMatchObject({ problems: 4, unknownMessages: 0 });
    expect(session.state.kind).toBe("live");
  });
});
