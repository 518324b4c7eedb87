/** Opening: what is heard before `welcome`, who comes in, and how a refusal is told. */
import { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { ada, newId, uuidAt } from "../support/principals.ts";
import { accepted, createWorld, makeHello } from "../support/world.ts";

describe("opening", () => {
  it("[OP-3] answers hello with welcome, then its subscriptions in order", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open({
      subscribe: [
        { stream: "notes", sub: 1, from: "start" },
        { stream: "nowhere", sub: 2, from: "start" },
        { stream: "log/none", sub: 3, from: "start" },
      ],
    });
    expect(client.received.map((message) => message.type)).toEqual(["welcome", "subscribed", "refused", "refused"]);
    expect(client.of("welcome")[0]).toMatchObject({
      user: { id: "ada", role: "admin", workspace: "default" },
      heartbeat: { interval: 20_000, timeout: 10_000 },
      node: expect.any(String),
      spread: 0,
    });
  });

  it.each([
    ["another message", [{ type: "ping", n: 1, visible: true }]],
    ["two messages", [makeHello(), { type: "ping", n: 1, visible: true }]],
    ["an empty frame", []],
    ["a malformed hello", [{ ...makeHello(), instance: "nobody" }]],
    ["a number", [1]],
  ])("[OP-1] closes 4400 for %s before welcome", async (_title, messages) => {
    const world = await createWorld();
    const client = world.connect();
    client.send(...(messages as object[]));
    await world.clock.advance(10);
    expect(client.closed?.code).toBe(4400);
    expect(client.of("bye")[0]).toMatchObject({ code: 4400, reconnect: false });
  });

  it("[OP-1] closes 4408 when no hello comes in 10 s, 4503 when no verdict comes in 5 s", async () => {
    const world = await createWorld();
    const silent = world.connect();
    const waiting = world.connect();
    world.verdict = () => new Promise(() => {});
    waiting.send(makeHello());
    await world.clock.advance(9_000);
    expect([silent.closed?.code, waiting.closed?.code]).toEqual([undefined, 4503]);
    await world.clock.advance(2_100);
    expect(silent.closed?.code).toBe(4408);
  });

  it("[OP-2] names the range of protocols to one it does not speak", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open({ protocol: 9 });
    expect(client.of("bye")[0]).toMatchObject({ code: 4400, reason: "unsupported_protocol: 9 is not in 1…1" });
  });

  it("[TR-3] closes 1009 for a frame over 64 KiB before welcome", async () => {
    const world = await createWorld();
    const client = world.connect();
    client.send(makeHello({ padding: "x".repeat(65_536) }));
    expect(client.closed?.code).toBe(1009);
  });

  it.each([
    ["refused", { kind: "refused", reason: "unauthenticated" }, 4401, undefined],
    ["forbidden", { kind: "forbidden", reason: "revoked" }, 4403, undefined],
    ["unavailable", { kind: "unavailable", reason: "auth_unavailable", retryAfter: 7_000 }, 4503, 7_000],
  ] as const)("[AU-2] a credential that is %s is told by bye and %s", async (_title, verdict, code, retryAfter) => {
    const world = await createWorld();
    world.verdict = () => verdict;
    const client = world.connect();
    await client.open();
    const [bye] = client.of("bye");
    expect(bye?.code).toBe(code);
    // CL-4: the provider's time, and then one after the other.
    if (retryAfter === undefined) expect(bye?.retryAfter).toBeUndefined();
    else expect((bye?.retryAfter ?? 0) - retryAfter).toBeOneOf([2, 4]);
    expect(client.closed?.code).toBe(code);
    expect(client.of("welcome")).toEqual([]);
  });

  it("[AU-1] two different explicit credentials close 4400", async () => {
    const world = await createWorld();
    const client = world.connect({ token: "one" });
    await client.open({ token: "two" });
    expect(client.closed).toEqual({ code: 4400, reason: "ambiguous_credentials" });
  });

  it("[T7] [OP-5] another identity than expected closes 4410 before anything is done", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open({
      expect: { user: "bob", workspace: "default" },
      subscribe: [{ stream: "notes", sub: 1, from: "start" }],
    });
    expect(client.received).toMatchObject([{ type: "bye", code: 4410, reconnect: true }]);
  });

  it("[security F7] a verdict that throws closes this connection with a reason, and is logged with its cause", async () => {
    const world = await createWorld();
    const cause = new ProtocolError("internal", "broken verifier");
    world.verdict = () => {
      throw cause;
    };
    const client = world.connect();
    await client.open();
    expect(client.closed?.code).toBe(4503);
    expect(world.log.find((line) => line.level === "error")?.fields?.["error"]).toBe(cause);
  });

  it("[F58] an agent whose connection is gone when its hello is stored does not stay online", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    const client = world.connect();
    const agent = { name: "a", kind: "shell", host: "h", capabilities: [], process: newId(), open: [] };
    client.send(makeHello({ agent }));
    client.drop();
    await world.clock.advance(100);
    expect(world.agents.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual(["disconnected a"]);
  });

  it("[OP-5] an agent that expects another identity registers nothing", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    const client = world.connect();
    const agent = { id: "a", name: "a", kind: "shell", host: "h", capabilities: [], process: newId(), open: [] };
    await client.open({ agent, expect: { user: "b", workspace: "default" } });
    expect(client.closed?.code).toBe(4410);
    expect(world.agents).toEqual([]);
  });

  it("[OP-7] an older process hears nothing of the commit that fences it, then bye 4409", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    const agent = (process: string) => ({ name: "a", kind: "shell", host: "h", capabilities: [], process, open: [] });
    const [older, newer] = [world.connect(), world.connect()];
    await older.open({ agent: agent(newId()), subscribe: [{ stream: "inbox/a", sub: 1, from: "start" }] });
    newer.send(makeHello({ agent: { ...agent(newId()), name: "a", capabilities: ["newer"] } }));
    void world.committer.run({
      kind: "task",
      workspace: "default",
      task: "notes.inbox",
      input: { to: "a", text: "after" },
    });
    await world.clock.advance(20);
    expect(older.of("events")).toEqual([]);
    expect(older.of("bye")[0]).toMatchObject({ code: 4409, reconnect: false });
    expect(newer.of("welcome")[0]?.agent?.generation).toBe(2);
  });

  it("[AD-5] the 51st connection of a principal waits, unless a silent one can give way", async () => {
    const world = await createWorld();
    const clients = Array.from({ length: 50 }, () => world.connect());
    for (const client of clients) await client.open();
    const late = world.connect();
    await late.open();
    expect(late.of("bye")[0]).toMatchObject({ code: 4429, reconnect: true });
    expect(late.of("bye")[0]?.retryAfter).toBeGreaterThanOrEqual(10_000);
    for (const client of clients.slice(1)) client.send({ type: "ping", n: 1, visible: true });
    await world.clock.advance(20_000);
    for (const client of clients.slice(1)) client.send({ type: "ping", n: 1, visible: true });
    const later = world.connect();
    await later.open();
    expect(later.of("welcome")).toHaveLength(1);
    expect(clients[0]?.closed?.code).toBe(4408);
    expect(clients.slice(1).every((client) => client.closed === undefined)).toBe(true);
  });

  it("[AU-7] the notice comes at half the life of a short credential", async () => {
    const world = await createWorld();
    world.verdict = () => accepted(ada, world.clock.now() + 20_000);
    const client = world.connect();
    await client.open();
    await world.clock.advance(8_000);
    expect(client.of("expiring")).toEqual([]);
    await world.clock.advance(3_000);
    expect(client.of("expiring")).toHaveLength(1);
  });

  it("[AU-7][AU-8] who was let in by the tolerance, with an ended credential, is told at once", async () => {
    const world = await createWorld();
    world.verdict = () => accepted(ada, world.clock.now() - 10_000);
    const client = world.connect();
    await client.open();
    await world.clock.advance(2_100);
    expect(client.of("expiring")).toEqual([{ type: "expiring", in: 0 }]);
  });

  it("[AU-7] auth reads the role anew, and refuses what it may no longer read; another user's closes 4403", async () => {
    const world = await createWorld();
    const end = world.clock.now() + 120_000;
    world.verdict = ({ token }) => {
      if (token === "bob") return accepted({ ...ada, id: "bob" }, end - 1);
      return token === "viewer" ? accepted({ ...ada, role: "viewer" }, end + 1) : accepted(ada, end);
    };
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "admins", sub: 1, from: "start" }] });
    expect(client.of("subscribed")).toHaveLength(1);
    client.send({ type: "auth", token: "viewer" });
    await world.clock.advance(10);
    expect(client.of("refused")).toMatchObject([{ of: "subscribe", stream: "admins", sub: 1 }]);
    client.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } });
    await world.clock.advance(10);
    expect(client.of("response")[0]).toMatchObject({ error: { code: "forbidden" } });
    client.send({ type: "auth", token: "bob" });
    await world.clock.advance(10);
    expect(client.closed?.code).toBe(4403);
  });

  it("[AU-7][AU-8] tells an end before it comes, refuses requests after it, closes 4401 30 s later", async () => {
    const world = await createWorld();
    world.verdict = () => accepted(ada, world.clock.now() + 120_000);
    const client = world.connect();
    await client.open();
    const ping = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 10_000) {
        await world.clock.advance(10_000);
        client.send({ type: "ping", n: 1, visible: true });
      }
    };
    await ping(70_000);
    expect(client.of("expiring")).toHaveLength(1);
    await ping(60_000);
    client.send({ type: "request", id: "0190a0a0-0000-7000-8000-000000000000", method: "note.list", params: {} });
    await world.clock.advance(10);
    expect(client.of("response")[0]).toMatchObject({ error: { code: "unauthenticated", retryable: true } });
    await ping(30_000);
    expect(client.closed?.code).toBe(4401);
  });

  it("[AU-7] auth with a credential that ends later keeps the streams; one that does not answers auth_failed", async () => {
    const world = await createWorld();
    const end = world.clock.now() + 120_000;
    world.verdict = ({ token }) => accepted(ada, token === "later" ? end + 60_000 : end);
    const client = world.connect();
    await client.open();
    client.send({ type: "auth", token: "same" }, { type: "auth", token: "later" });
    await world.clock.advance(10);
    expect(client.of("error")).toMatchObject([{ code: "auth_failed" }]);
    expect(client.of("authenticated")).toEqual([{ type: "authenticated", expiresAt: end + 60_000 }]);
    expect(client.closed).toBeUndefined();
  });

  it("[AU-9] the end of a session or key closes its connections at once with 4403, and no others", async () => {
    const world = await createWorld();
    world.verdict = ({ token }) => accepted(ada, undefined, token);
    const [one, two, other] = ["session 1", "session 1", "session 2"].map((token) => world.connect({ token }));
    for (const client of [one, two, other]) await client?.open();
    world.end("session 1");
    expect([one?.closed?.code, two?.closed?.code, other?.closed?.code]).toEqual([4403, 4403, undefined]);
    expect(one?.of("bye")).toMatchObject([{ code: 4403, reconnect: false }]);
    // By the credential that is in use now, not by the first one.
    other?.send({ type: "auth", token: "session 3" });
    await world.clock.advance(10);
    world.end("session 2");
    expect(other?.closed).toBeUndefined();
    world.end("session 3");
    expect(other?.closed?.code).toBe(4403);
  });

  it("[AU-9] an end while the verdict is under way counts, at hello and at auth", async () => {
    const world = await createWorld();
    let judge: (verdict: ReturnType<typeof accepted>) => void = () => {};
    world.verdict = () => new Promise((resolve) => (judge = resolve));
    const client = world.connect();
    client.send(makeHello());
    await world.clock.advance(10);
    world.end("session 1");
    judge(accepted(ada, undefined, "session 1"));
    await world.clock.advance(10);
    expect([client.closed?.code, client.of("welcome").length]).toEqual([4403, 0]);

    const open = world.connect();
    open.send(makeHello());
    await world.clock.advance(10);
    judge(accepted(ada, 1, "session 2"));
    await world.clock.advance(10);
    open.send({ type: "auth" });
    await world.clock.advance(10);
    world.end("session 3");
    judge(accepted(ada, undefined, "session 3"));
    await world.clock.advance(10);
    expect([open.of("welcome").length, open.of("authenticated").length, open.closed?.code]).toEqual([1, 0, 4403]);
  });
});
