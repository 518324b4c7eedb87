/** Who may open a connection, and when the others may come back, at the gateway (section 10, CL-4, CL-9). */
import { describe, expect, it } from "vitest";
import { ada, newId } from "../support/principals.ts";
import { accepted, createWorld, makeHello, type TestClient, type World } from "../support/world.ts";

/** Each instance is a person of its own. */
const byInstance = (world: World): void => {
  world.verdict = ({ instance }) => accepted({ ...ada, id: instance });
};
const codes = (clients: readonly TestClient[]): (number | undefined)[] => clients.map(({ closed }) => closed?.code);

describe("openings of one principal", () => {
  it("[AD-1] a loop of successful openings ends in 4429, each time with a later slot", async () => {
    const world = await createWorld();
    const refused: TestClient[] = [];
    let opened = 0;
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const client = world.connect();
      await client.open();
      if (client.closed === undefined) {
        opened += 1;
        client.drop();
      } else refused.push(client);
    }
    expect(opened).toBe(60);
    expect(new Set(codes(refused))).toEqual(new Set([4429]));
    const times = refused.map((client) => client.of("bye")[0]?.retryAfter ?? 0);
    // Ten a minute: one each 6 s.
    expect(times[0]).toBeGreaterThan(5_000);
    expect(times.slice(1).every((time, index) => time - (times[index] ?? 0) > 5_500)).toBe(true);
    expect(refused.every((client) => typeof client.of("bye")[0]?.slot === "string")).toBe(true);
  });

  it("[AD-1] an agent pays, not its key: a hundred agents of one key come back at once", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    const clients = Array.from({ length: 100 }, () => world.connect());
    for (const [index, client] of clients.entries())
      client.send(
        makeHello({
          agent: { name: `a${index}`, kind: "shell", host: "h", capabilities: [], process: newId(), open: [] },
        }),
      );
    await world.clock.advance(100);
    expect(clients.filter((client) => client.of("welcome").length === 1)).toHaveLength(100);
  });

  it("[AD-1] an agent that loops is refused before it is registered again", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    const open = async (): Promise<TestClient> => {
      const client = world.connect();
      const agent = { id: "a", name: "a", kind: "shell", host: "h", capabilities: [], process: newId(), open: [] };
      await client.open({ agent });
      return client;
    };
    for (let attempt = 0; attempt < 60; attempt += 1) (await open()).drop();
    const asked = world.store.asked;
    const refused = await open();
    expect(refused.closed?.code).toBe(4429);
    expect(world.store.asked).toBe(asked);
  });
});

describe("openings of one address", () => {
  it("[AD-1] those that do not get to welcome are 200, then 20 a second; who does pays nothing", async () => {
    const world = await createWorld();
    byInstance(world);
    for (let opening = 0; opening < 300; opening += 1) await world.connect().open();
    world.verdict = () => ({ kind: "refused", reason: "no" });
    const clients: TestClient[] = [];
    for (let attempt = 0; attempt < 400; attempt += 1) {
      const client = world.connect();
      await client.open();
      clients.push(client);
    }
    const refused = clients.filter(({ closed }) => closed?.code === 4429);
    // 400 attempts take 4 s, in which 80 more tokens come.
    expect(clients.length - refused.length).toBeGreaterThanOrEqual(200);
    expect(clients.length - refused.length).toBeLessThanOrEqual(285);
    // A neighbour is not concerned.
    byInstance(world);
    const neighbour = world.connect({}, "192.0.2.1");
    await neighbour.open();
    expect(neighbour.of("welcome")).toHaveLength(1);
  });
});

describe("openings of a node", () => {
  const manyHellos = async (world: World, count: number): Promise<TestClient[]> => {
    const clients = Array.from({ length: count }, (_value, index) => world.connect({}, `192.0.2.${index % 200}`));
    for (const client of clients) client.send(makeHello());
    await world.clock.advance(0);
    return clients;
  };

  it("[AD-3][CL-4] over the budget each is told its own slot by bye 4503, one after the other", async () => {
    const world = await createWorld(undefined, { openingsPerSecond: 50 });
    byInstance(world);
    const clients = await manyHellos(world, 150);
    expect(clients.filter((client) => client.of("welcome").length === 1)).toHaveLength(50);
    const refused = clients.filter(({ closed }) => closed !== undefined);
    expect(refused.every((client) => client.of("bye")[0]?.code === 4503 && client.of("bye")[0]?.reconnect)).toBe(true);
    const times = refused.map((client) => client.of("bye")[0]?.retryAfter ?? 0);
    // After the places that are taken: from the second second on, 20 ms apart.
    expect(times).toEqual(Array.from({ length: 100 }, (_value, index) => 1_020 + 20 * index));
  });

  it("[AD-3] at most so many verdicts are under way", async () => {
    const world = await createWorld(undefined, { openingsUnderWayMax: 10 });
    let judge: () => void = () => {};
    const judged = new Promise<void>((resolve) => {
      judge = resolve;
    });
    let asked = 0;
    world.verdict = async ({ instance }) => {
      asked += 1;
      await judged;
      return accepted({ ...ada, id: instance });
    };
    const clients = await manyHellos(world, 30);
    expect([asked, codes(clients).filter((code) => code === 4503).length]).toEqual([10, 20]);
    judge();
    await world.clock.advance(10);
    expect(clients.filter((client) => client.of("welcome").length === 1)).toHaveLength(10);
    expect((await manyHellos(world, 5)).filter((client) => client.of("welcome").length === 1)).toHaveLength(5);
  });

  it("[AD-3][CL-4] a due slot goes before newcomers, waits rather than be refused, and begins one opening", async () => {
    const world = await createWorld(undefined, { openingsPerSecond: 10 });
    byInstance(world);
    const refused = (await manyHellos(world, 20)).filter(({ closed }) => closed !== undefined);
    await world.clock.advance(2_100);
    const newcomers = await manyHellos(world, 15);
    const due = refused.map((client) => {
      const back = world.connect({}, "192.0.2.250");
      back.send(makeHello({ slot: client.of("bye")[0]?.slot }));
      return back;
    });
    await world.clock.advance(0);
    expect(codes(due)).toEqual(Array(10).fill(undefined));
    expect(due.filter((client) => client.of("welcome").length === 1)).toHaveLength(0);
    await manyHellos(world, 3);
    await world.clock.advance(1_000);
    expect(due.filter((client) => client.of("welcome").length === 1)).toHaveLength(10);
    expect(newcomers.filter((client) => client.of("welcome").length === 1)).toHaveLength(10);
    // The same slot again is no slot.
    const [again] = refused;
    const used = world.connect({}, "192.0.2.250");
    used.send(makeHello({ slot: again?.of("bye")[0]?.slot }));
    await world.clock.advance(0);
    expect(used.closed?.code).toBe(4503);
  });

  it("[CL-4] who comes before its slot is counted and told the same again, with no work done", async () => {
    const world = await createWorld(undefined, { openingsPerSecond: 1 });
    byInstance(world);
    const [, refused] = await manyHellos(world, 2);
    const bye = refused?.of("bye")[0];
    expect(bye?.retryAfter).toBe(2_000);
    await world.clock.advance(500);
    let verdicts = 0;
    const { verdict } = world;
    world.verdict = (credentials) => {
      verdicts += 1;
      return verdict(credentials);
    };
    const early = world.connect();
    early.send(makeHello({ slot: bye?.slot }));
    await world.clock.advance(0);
    expect(early.of("bye")[0]).toMatchObject({ code: 4503, retryAfter: 1_500, slot: bye?.slot, reconnect: true });
    expect([verdicts, world.node.context.admission.retriesIgnored]).toEqual([0, 1]);
    await world.clock.advance(1_500);
    const due = world.connect();
    due.send(makeHello({ slot: bye?.slot }));
    await world.clock.advance(0);
    expect(due.of("welcome")).toHaveLength(1);
  });

  it("[AD-3] a restarted node honours what the one before has promised", async () => {
    const key = new Uint8Array(32).fill(3);
    const before = await createWorld(undefined, {}, { key });
    byInstance(before);
    const clients = Array.from({ length: 30 }, () => before.connect());
    for (const client of clients) await client.open();
    void before.node.stop();
    await before.clock.advance(10);
    const byes = clients.map((client) => client.of("bye")[0]);
    expect(byes.every((bye) => bye?.code === 1012 && bye.reconnect)).toBe(true);

    // The next one starts at full load: newcomers are refused, and promised slots are not.
    const after = await createWorld(undefined, { openingsPerSecond: 30 }, { key, startMs: before.clock.now() + 2_000 });
    byInstance(after);
    await manyHellos(after, 30);
    const back = byes.map((bye) => {
      const client = after.connect({}, "192.0.2.250");
      client.send(makeHello({ slot: bye?.slot }));
      return client;
    });
    const newcomer = after.connect();
    newcomer.send(makeHello());
    await after.clock.advance(1_000);
    expect(back.filter((client) => client.of("welcome").length === 1)).toHaveLength(30);
    expect(newcomer.closed?.code).toBe(4503);
  });

  it("[CL-9][CL-4] a node that stops tells each its own slot, as many a second as it may open", async () => {
    const world = await createWorld(undefined, { openingsPerSecond: 100 });
    byInstance(world);
    const clients: TestClient[] = [];
    for (let opened = 0; opened < 300; opened += 1) {
      const client = world.connect();
      await client.open();
      clients.push(client);
    }
    await world.clock.advance(5_000);
    void world.node.stop();
    await world.clock.advance(10);
    const times = clients.map((client) => client.of("bye")[0]?.retryAfter ?? 0);
    expect(times).toEqual(Array.from({ length: 300 }, (_value, index) => 1_010 + 10 * index));
    expect(new Set(clients.map((client) => client.of("bye")[0]?.slot)).size).toBe(300);
    expect(new Set(codes(clients))).toEqual(new Set([1012]));
  });

  it("[AD-3] a socket without a hello gives way to a newer one, and takes no opening's place", async () => {
    const limits = { socketsWithoutHelloMax: 40, socketsWithoutHelloPerAddressMax: 10, openingsUnderWayMax: 5 };
    const world = await createWorld(undefined, limits);
    byInstance(world);
    const near = Array.from({ length: 15 }, () => world.connect({}, "192.0.2.1"));
    expect(codes(near).map((code) => code === 4408)).toEqual([...Array(5).fill(true), ...Array(10).fill(false)]);
    const far = Array.from({ length: 40 }, (_value, index) => world.connect({}, `192.0.3.${index}`));
    expect(codes(near).every((code) => code === 4408)).toBe(true);
    expect(codes(far).filter((code) => code === 4408)).toHaveLength(0);
    const late = world.connect({}, "192.0.2.1");
    expect(far[0]?.closed?.code).toBe(4408);
    await late.open();
    expect(late.of("welcome")).toHaveLength(1);
    // Who was welcomed is no socket without a hello any more.
    for (let more = 0; more < 100; more += 1) world.connect({}, `192.0.4.${more % 9}`);
    expect(late.closed).toBeUndefined();
  });

  it("[AD-3] beyond all this an upgrade finds no place, and is told when to come back", async () => {
    const limits = {
      socketsWithoutHelloMax: 3,
      socketsWithoutHelloPerAddressMax: 3,
      openingsWaitingMax: 2,
      openingsUnderWayMax: 1,
    };
    const world = await createWorld(undefined, limits);
    expect(world.gateway.refusal()).toBeUndefined();
    // Closed by us, and still there until the other side has gone or 2 s have passed.
    for (let socket = 0; socket < 6; socket += 1) world.connect();
    expect([world.gateway.refusal(), world.gateway.refusal()]).toEqual([2, 2]);
    await world.clock.advance(2_000);
    expect(world.gateway.refusal()).toBeUndefined();
  });

  it("[AD-3] connections that were welcomed and are told to go keep nobody out", async () => {
    const limits = {
      socketsWithoutHelloMax: 3,
      socketsWithoutHelloPerAddressMax: 3,
      openingsWaitingMax: 2,
      openingsUnderWayMax: 1,
    };
    const world = await createWorld(undefined, limits);
    world.verdict = ({ instance }) => accepted({ ...ada, id: instance }, undefined, "session");
    const clients: TestClient[] = [];
    for (let opened = 0; opened < 20; opened += 1) {
      const client = world.connect();
      await client.open();
      clients.push(client);
    }
    world.end("session");
    expect(codes(clients)).toEqual(Array(20).fill(4403));
    expect(world.gateway.refusal()).toBeUndefined();
    await world.clock.advance(3_000);
    for (let socket = 0; socket < 6; socket += 1) world.connect();
    expect(world.gateway.refusal()).toBeDefined();
  });

  it("[CL-3][CL-4] spread is the connections held over the budget, told by welcome and, where it changed, by pong", async () => {
    const world = await createWorld(undefined, { openingsPerSecond: 20 });
    byInstance(world);
    const first = world.connect();
    await first.open();
    for (let held = 1; held < 40; held += 1) {
      await world.clock.advance(100);
      await world.connect().open();
    }
    const last = world.connect();
    await world.clock.advance(1_000);
    await last.open();
    expect(last.of("welcome")[0]?.spread).toBe(2_100);
    first.send({ type: "ping", n: 1, visible: true }, { type: "ping", n: 2, visible: true });
    last.send({ type: "ping", n: 1, visible: true });
    await world.clock.advance(0);
    expect(first.of("pong")).toEqual([
      { type: "pong", n: 1, spread: 2_100 },
      { type: "pong", n: 2 },
    ]);
    expect(last.of("pong")).toEqual([{ type: "pong", n: 1 }]);
  });

  it("[AD-1][AD-3] ten thousand openings that end in each phase leave no timer, bucket or place behind", async () => {
    const world = await createWorld(undefined, { openingsPerSecond: 1_000_000 });
    const { timers } = world.clock;
    for (let round = 0; round < 10; round += 1) {
      const verdicts = [
        () => ({ kind: "refused", reason: "no" }) as const,
        ({ instance }: { instance: string }) => accepted({ ...ada, id: instance }),
      ];
      for (let one = 0; one < 1_000; one += 1) {
        const [refuse, accept] = verdicts;
        world.verdict = one % 5 === 4 ? (accept ?? world.verdict) : (refuse ?? world.verdict);
        const client = world.connect({}, `10.${round}.${one % 250}.1`);
        if (one % 5 === 0) client.drop();
        else if (one % 5 === 1) client.sendText("nonsense");
        else {
          client.send(makeHello());
          if (one % 5 === 2) client.drop();
        }
        if (one % 5 === 4) {
          await world.clock.advance(0);
          client.drop();
        } else if (one % 5 !== 0 && one % 5 !== 2) client.drop();
      }
      await world.clock.advance(3_000);
    }
    expect(world.gateway.connections.size).toBe(0);
    await world.clock.advance(120_000);
    expect(world.clock.timers).toBe(timers);
    const after = world.connect();
    await after.open();
    expect(after.of("welcome")).toHaveLength(1);
  }, 60_000);
});
