/**
 * Life, tokens and the end (sections 7 and 8).
 *
 * Seen red: [LV-1] with `awaiting` kept after a frame, and with own frames not counted; [LV-3] without the
 * grace; [LV-5] without the least interval; [F10] with the same token taken for a better one; [F12] with an
 * attempt before the token is known; [CL-7] with an unreachable provider counted as a refusal; [F18] with
 * a timer left by the shell; [OP-2] with a hello of any size.
 */
import { describe, expect, it } from "vitest";
import { error } from "./support/modelServer.ts";
import { publisherScenario, reader, scenario } from "./support/scenario.ts";
import { SimClock } from "./support/simClock.ts";

const pings = (messages: readonly { readonly type: string }[]): number =>
  messages.filter((message) => message.type === "ping").length;

/** A JWT that ends so many ms after the simulation's start; nobody verifies it here. */
function makeToken(name: string, endsInMs: number): string {
  const payload = btoa(JSON.stringify({ sub: name, exp: (1_800_000_000_000 + endsInMs) / 1_000 }));
  return `e30.${payload}.${name}`;
}

describe("heartbeat", () => {
  it("[LV-1] pings after 20 s of silence, and an answer is life", async () => {
    const { clock, server, session } = scenario();
    await clock.advance(120_000);
    expect(pings(server.last.received)).toBeGreaterThanOrEqual(5);
    expect(pings(server.last.received)).toBeLessThanOrEqual(7);
    expect(server.connections).toHaveLength(1);
    expect(session.state.kind).toBe("live");
  });

  it("[LV-1] pings although much is heard, when nothing of its own was sent", async () => {
    const { clock, server } = scenario({}, (model) => {
      model.pong = false;
    });
    await clock.advance(10);
    for (let second = 0; second < 60; second += 1) {
      server.send(server.last, { type: "invented" });
      await clock.advance(1_000);
    }
    expect(pings(server.last.received)).toBeGreaterThanOrEqual(2);
    expect(server.connections).toHaveLength(1);
  });

  it("[LV-1] an unanswered ping is death after 10 s, and the next connection is given 20 s", async () => {
    const { clock, server, session } = scenario({}, (model) => {
      model.pong = false;
    });
    await clock.advance(29_900);
    expect(server.connections).toHaveLength(1);
    expect(session.state.kind).toBe("live");
    await clock.advance(2_000);
    expect(server.connections).toHaveLength(2);
    const secondMs = server.last.openedMs;
    while (server.connections.length === 2) await clock.advance(1_000);
    // 20 s of silence and 20 s of patience.
    expect(server.last.openedMs - secondMs).toBeGreaterThan(39_000);
  });

  it("[LV-3] an opening whose timers are late every time (a hidden page's) is given up after one grace", async () => {
    const { clock, server } = scenario({}, (model) => {
      model.verdict = () => ({ kind: "silent" });
    });
    await clock.advance(1_000);
    expect(server.connections).toHaveLength(1);
    for (let minute = 0; minute < 4; minute += 1) await clock.sleep(60_000);
    expect(server.connections.length).toBeGreaterThan(1);
  });

  it("[LV-3] after sleep the queued pong is read before the verdict", async () => {
    const { clock, server } = scenario();
    await clock.advance(20_017);
    expect(server.last.received).toHaveLength(1);
    server.latencyMs = 1_500;
    // Asleep in the middle of an unanswered ping: the deadline is long past when the machine wakes.
    await clock.sleep(60_000);
    await clock.advance(5_000);
    expect(server.connections).toHaveLength(1);
  });

  it("[LV-5] a server that asks for a heartbeat every 0 ms is not flooded", async () => {
    const { clock, server } = scenario({}, (model) => {
      model.welcomeExtras = { heartbeat: { interval: 0, timeout: 0 } };
    });
    await clock.advance(60_000);
    expect(pings(server.last.received)).toBeLessThanOrEqual(60);
  });

  it("[LV-4] waking asks at once and gives up after 3 s", async () => {
    const { clock, server, session } = scenario();
    await clock.advance(100);
    server.pong = false;
    session.hint("woke");
    await clock.advance(2_900);
    expect(server.connections).toHaveLength(1);
    await clock.advance(1_500);
    expect(server.connections).toHaveLength(2);
  });

  it("[LV-1] [LV-4] becoming hidden is told at once; `offline` closes nothing", async () => {
    const { clock, server, session } = scenario();
    await clock.advance(100);
    session.hint("hidden");
    session.hint("offline");
    await clock.advance(100);
    expect(server.last.received.at(-1)).toMatchObject({ type: "ping", visible: false });
    expect(session.state.kind).toBe("live");
    server.refusesUpgrade = true;
    server.cut();
    await clock.advance(1);
    expect(session.state.kind).toBe("offline");
  });
});

describe("tokens", () => {
  it("[F12] [CL-7] no attempt while the token is not known, none when signed out", async () => {
    let answer: (token: string | null) => void = () => {};
    const { clock, server, session } = scenario({ getToken: () => new Promise((resolve) => (answer = resolve)) });
    session.reconnect();
    session.hint("online");
    await clock.advance(60_000);
    expect(server.connections).toHaveLength(0);
    expect(session.state.kind).toBe("authenticating");
    answer(null);
    await clock.advance(60_000);
    expect(server.connections).toHaveLength(0);
    expect(session.state).toEqual({ kind: "stopped", reason: "signed_out" });
    session.reconnect();
    await clock.advance(1);
    answer("t");
    await clock.advance(100);
    expect(server.last.hello?.token).toBe("t");
  });

  it("[F10] [CL-2] a refreshed token that is the old one: at most two sockets, then auth_failed", async () => {
    const asked: string[] = [];
    const { clock, server, session } = scenario(
      {
        getToken: async (why) => {
          asked.push(why);
          return "same";
        },
      },
      (model) => {
        model.verdict = () => ({ kind: "bye", code: 4401 });
      },
    );
    await clock.advance(120_000);
    expect(server.connections).toHaveLength(1);
    expect(asked).toEqual(["first", "rejected", "rejected"]);
    expect(session.state).toEqual({ kind: "stopped", reason: "auth_failed" });
    await clock.advance(3_600_000);
    expect(server.connections).toHaveLength(1);
  });

  it("[CL-2] three fresh tokens refused in a row, 5 s apart, then stop until a different one comes", async () => {
    let count = 0;
    const { clock, server, session } = scenario(
      {
        getToken: async () => {
          count += 1;
          return `t${count}`;
        },
      },
      (model) => {
        model.verdict = (hello) => (hello.token === "t4" ? { kind: "welcome" } : { kind: "bye", code: 4401 });
      },
    );
    await clock.advance(120_000);
    expect(session.state).toEqual({ kind: "stopped", reason: "auth_failed" });
    expect(server.connections).toHaveLength(3);
    server.connections.slice(1).forEach((connection, index) => {
      expect(connection.openedMs - (server.connections[index]?.openedMs ?? 0)).toBeGreaterThanOrEqual(5_000);
    });
    session.reconnect();
    await clock.advance(100);
    expect(session.state.kind).toBe("live");
  });

  it("[F01] [CL-2] a cookie session that is refused stops after three, and floods nobody", async () => {
    const { clock, server, session } = scenario({}, (model) => {
      model.verdict = () => ({ kind: "bye", code: 4401 });
    });
    await clock.advance(3_600_000);
    expect(server.connections).toHaveLength(3);
    expect(session.state).toEqual({ kind: "stopped", reason: "auth_failed" });
  });

  it("[CL-7] a provider that cannot be reached is no refusal: it waits and asks again", async () => {
    let down = true;
    let asked = 0;
    const { clock, server, session } = scenario({
      getToken: async () => {
        asked += 1;
        if (down) throw new Error("503");
        return "t";
      },
    });
    await clock.advance(600_000);
    expect(session.state).toMatchObject({ kind: "waiting", reason: "auth_unavailable" });
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(60);
    down = false;
    await clock.advance(46_000);
    expect(session.state.kind).toBe("live");
    expect(server.connections).toHaveLength(1);
  });

  it("[AU-7] a better token is sent in the session; streams go on", async () => {
    const tokens = [makeToken("one", 60_000), makeToken("one", 60_000), makeToken("two", 600_000)];
    const { clock, server } = scenario({ getToken: async () => tokens.shift() ?? null });
    await clock.advance(100);
    server.send(server.last, { type: "expiring", in: 30_000 });
    await clock.advance(100);
    expect(server.last.received.some((message) => message.type === "auth")).toBe(false);
    await clock.advance(8_000);
    expect(server.last.received.find((message) => message.type === "auth")).toMatchObject({
      token: makeToken("two", 600_000),
    });
    expect(server.connections).toHaveLength(1);
  });

  it("[CL-7] no socket with a token that ends within 5 s", async () => {
    let asked = 0;
    const getToken = async (): Promise<string> => makeToken(`t${asked++}`, asked === 1 ? 60_000 : 3_000);
    const { clock, server } = scenario({ getToken });
    await clock.advance(1_000);
    server.cut();
    // The one in hand is good for another minute, and none that ends sooner is better.
    await clock.advance(300_000);
    expect(server.connections.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...server.connections.map(({ openedMs }) => openedMs))).toBeLessThan(60_000);
  });

  it("[CL-7] a clock that is an hour fast makes no good token look ended", async () => {
    const clock = new SimClock(1_800_003_600_000);
    const { server, session } = scenario({ clock, getToken: async () => makeToken("good", 900_000) });
    await clock.advance(1_000);
    expect(server.connections).toHaveLength(1);
    expect(session.state.kind).not.toBe("stopped");
  });
});

describe("the end", () => {
  it("[F18] [CL-8] close leaves no timer, listener or socket, whatever is under way", async () => {
    for (const wait of [0, 3, 8, 100, 20_006, 31_000]) {
      for (const refuses of [false, true]) {
        const { clock, server, session } = publisherScenario({}, (model) => {
          model.refusesUpgrade = refuses;
        });
        reader(session, "s");
        const call = session.call("do", {}).catch(() => {});
        void session.producer("t").publish({ event: "e", data: 1 });
        await clock.advance(wait);
        const closed = session.close();
        await clock.advance(3_000);
        await closed;
        await call;
        expect(session.state).toEqual({ kind: "stopped", reason: "closed" });
        expect(clock.armed).toBe(0);
        expect(server.living).toHaveLength(0);
        const before = server.connections.length;
        session.hint("online");
        session.reconnect();
        await clock.advance(600_000);
        expect(server.connections).toHaveLength(before);
      }
    }
  });

  it("[F18] close while the token is being asked for opens nothing later", async () => {
    let answer: (token: string) => void = () => {};
    const { clock, server, session } = scenario({ getToken: () => new Promise((resolve) => (answer = resolve)) });
    await clock.advance(10);
    await session.close();
    answer("t");
    await clock.advance(60_000);
    expect(server.connections).toHaveLength(0);
    expect(clock.armed).toBe(0);
  });

  it("[CL-8] close waits up to 1 s for what was asked, then says leave and closes with 1000", async () => {
    const { clock, server, session } = scenario({}, (model) => {
      model.latencyMs = 200;
    });
    await clock.advance(1_000);
    const done = session.call("do", {});
    const closed = session.close();
    await clock.advance(3_000);
    await closed;
    await expect(done).resolves.toEqual({ done: {} });
    expect(server.last.received.map((message) => message.type)).toEqual(["hello", "request", "leave"]);
    expect(server.last.closedWith).toBe(1000);
  });

  it("[CL-8] what stays unanswered hears that its outcome is unknown", async () => {
    const { clock, server, session } = scenario();
    server.answer = () => error("unavailable", true);
    await clock.advance(100);
    const told = expect(session.call("do", {})).rejects.toMatchObject({ code: "timeout" });
    await clock.advance(50);
    const closed = session.close();
    await clock.advance(3_000);
    await closed;
    await told;
    await expect(session.call("do", {})).rejects.toMatchObject({ code: "unavailable" });
  });

  it("[CL-6] [X6] the late close of an abandoned socket changes nothing", async () => {
    const { clock, server, session } = scenario({}, (model) => {
      model.pong = false;
    });
    await clock.advance(30_100);
    const old = server.connections[0];
    server.pong = true;
    await clock.advance(2_000);
    expect(server.connections).toHaveLength(2);
    old?.events.closed(1006, "late");
    old?.events.received('[{"type":"bye","code":4403,"reason":"late","reconnect":false}]');
    await clock.advance(10_000);
    expect(session.state.kind).toBe("live");
    expect(server.connections).toHaveLength(2);
  });

  it("[OP-2] a thousand subscriptions fit: as many in hello as may, the others after welcome", async () => {
    const { clock, server, session } = scenario();
    const readers = Array.from({ length: 1_000 }, (_, index) => reader(session, `thread/${"x".repeat(60)}${index}`));
    await clock.advance(500);
    expect(JSON.stringify(server.last.hello).length).toBeLessThan(64 * 1_024);
    expect(readers.map((seen) => seen.statuses.at(-1))).toEqual(readers.map(() => "live"));
    expect(session.state.kind).toBe("live");
  });
});
