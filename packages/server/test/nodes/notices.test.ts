/**
 * What ends on one node ends on all of them: credentials, roles, and older processes of agents.
 *
 * Seen red: [AU-9] with `notices.start` left out; with a head check of 20 s (silent bus); [AU-9] under way with
 * `objection` that knows no changes; [OP-7] with a fence that closes equal generations as well.
 */
import { limits } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { noticesStream, noticesWorkspace, readNotice } from "../../src/nodes/notice.ts";
import { type Nodes, openNodes, type TestNode } from "../support/nodes.ts";
import { newId } from "../support/principals.ts";
import type { TestClient } from "../support/world.ts";

const ownerId = "owner";

async function twoNodes(): Promise<{ nodes: Nodes; a: TestNode; b: TestNode }> {
  const nodes = await openNodes();
  return { nodes, a: await nodes.start(), b: await nodes.start() };
}

async function closedWithin(nodes: Nodes, client: TestClient, msMax: number): Promise<number | undefined> {
  for (let ms = 0; ms < msMax && client.closed === undefined; ms += 10) await nodes.clock.advance(10);
  return client.closed?.code;
}

describe("a credential that ends on one node", () => {
  it.each([
    { bus: "delivers", isBusSilent: false, msMax: 100 },
    { bus: "is silent", isBusSilent: true, msMax: 1_100 },
  ])(
    "[AU-9] is closed 4403 on another, where the bus $bus, within $msMax ms, and refused there from then on",
    async ({ isBusSilent, msMax }) => {
      const { nodes, a, b } = await twoNodes();
      const cookie = await a.signIn();
      const [here, there] = [await a.open({ cookie }), await b.open({ cookie })];
      const other = await b.open({ cookie: await b.signIn() });
      expect(there.of("welcome")).toHaveLength(1);
      nodes.isBusSilent = isBusSilent;
      await a.wait(a.authenticator.signOut(cookie));
      expect(here.closed?.code).toBe(4403);
      expect(await closedWithin(nodes, there, msMax)).toBe(4403);
      expect(other.closed).toBeUndefined();
      expect(await b.wait(b.authenticator.verify({ cookie, instance: "x" }))).toMatchObject({ kind: "refused" });
    },
  );

  it("[T6] [AU-9] a key revoked on one closes who came by it on the other, an outage of the store later than that", async () => {
    const { nodes, a, b } = await twoNodes();
    const token = await a.wait(a.authenticator.operatorKey());
    const there = await b.open({ token });
    // A new operator key ends the one before.
    nodes.isBusSilent = true;
    await a.wait(a.authenticator.operatorKey());
    nodes.store.failing = true;
    await nodes.clock.advance(8_000);
    expect(there.closed).toBeUndefined();
    nodes.store.failing = false;
    expect(await closedWithin(nodes, there, 10_000)).toBe(4403);
  });

  it("[AU-9] a node that starts afterwards hears of nothing that was before, and refuses by the store", async () => {
    const { nodes, a } = await twoNodes();
    const cookie = await a.signIn();
    await a.wait(a.authenticator.signOut(cookie));
    const late = await nodes.start();
    const client = await late.open({ cookie });
    expect(client.closed?.code).toBe(4401);
  });

  it("[ST-15] notices of a history that was replaced are read from its beginning on", async () => {
    const { nodes, a, b } = await twoNodes();
    const cookie = await a.signIn();
    const there = await b.open({ cookie });
    nodes.isBusSilent = true;
    await a.wait(a.authenticator.signOut(cookie));
    const { epoch } = (await nodes.store.position(noticesWorkspace, noticesStream)) ?? { epoch: "" };
    await nodes.store.commit([{ kind: "renew", workspace: noticesWorkspace, stream: noticesStream, epoch }]);
    expect(await closedWithin(nodes, there, 1_100)).toBe(4403);
  });
});

describe("a role that changes", () => {
  it.each([false, true])(
    "[AU-9] closes the person's connections 1012 on every node (bus silent: %s), and they come back with it",
    async (isBusSilent) => {
      const { nodes, a, b } = await twoNodes();
      const cookie = await a.signIn();
      const clients = [await a.open({ cookie }), await b.open({ cookie })];
      expect(clients.map((client) => client.of("welcome")[0]?.user.role)).toEqual(["admin", "admin"]);
      nodes.isBusSilent = isBusSilent;
      await a.wait(a.authenticator.setRole(ownerId, "viewer"));
      for (const client of clients) expect(await closedWithin(nodes, client, 1_200)).toBe(1012);
      await nodes.clock.advance(1);
      for (const node of [a, b]) {
        const back = await node.open({ cookie });
        expect(back.of("welcome")[0]?.user.role).toBe("viewer");
        const id = newId();
        back.send({ type: "request", id, method: "note.add", params: { text: "no" } });
        await nodes.clock.advance(50);
        expect(back.of("response")).toMatchObject([{ id, error: { code: "forbidden" } }]);
      }
    },
  );

  it("[AU-9] while the verdict is under way: it does not stay with the role it was judged by", async () => {
    const { nodes, a, b } = await twoNodes();
    const cookie = await b.signIn();
    // Judged, and not yet told: the notice of what another node commits meanwhile comes first.
    const { verify } = b.authenticator;
    const [judged, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    Object.assign(b.authenticator, {
      verify: async (credentials: Parameters<typeof verify>[0]) => {
        const verdict = await verify(credentials);
        judged.resolve();
        await told.promise;
        return verdict;
      },
    });
    const client = b.connect({ cookie });
    await client.open();
    await b.wait(judged.promise);
    await a.wait(a.authenticator.setRole(ownerId, "operator"));
    await nodes.clock.advance(100);
    told.resolve();
    await nodes.clock.advance(10);
    expect(client.of("welcome")).toEqual([]);
    expect(client.closed?.code).toBe(1012);
  });

  it("[AU-9] of nobody is told to nobody", async () => {
    const { nodes, a } = await twoNodes();
    await expect(a.wait(a.authenticator.setRole("nobody", "viewer"))).rejects.toMatchObject({ code: "not_found" });
    expect((await nodes.store.position(noticesWorkspace, noticesStream))?.head).toBe(0);
  });
});

describe("an agent whose newer process comes to another node", () => {
  const agent = (...capabilities: string[]) => ({
    agent: { name: "a", kind: "shell", host: "h", capabilities, process: newId(), open: [] },
  });

  it.each([false, true])(
    "[OP-7] the older one is told `fenced` where it is (bus silent: %s), and the newer one stays",
    async (isBusSilent) => {
      const { nodes, a, b } = await twoNodes();
      const token = await a.wait(a.authenticator.agentKey("a"));
      const older = await a.open({ token }, agent());
      nodes.isBusSilent = isBusSilent;
      const newer = await b.open({ token }, agent("newer"));
      expect(await closedWithin(nodes, older, 1_100)).toBe(4409);
      await nodes.clock.advance(2_000);
      expect(newer.closed).toBeUndefined();
    },
  );

  it("[OP-7] the notice that comes late closes nobody of the same process, wherever it has moved to", async () => {
    const { nodes, a, b } = await twoNodes();
    const token = await a.wait(a.authenticator.agentKey("a"));
    nodes.isBusSilent = true;
    await b.open({ token }, agent("newer"));
    const moved = await a.open({ token }, agent("newer"));
    await nodes.clock.advance(3_000);
    expect(moved.closed).toBeUndefined();
  });
});

describe("what the stream of notices says", () => {
  it("is read as what it is, and anything else as something unknown about rights", () => {
    expect(readNotice("credentialEnded", { credential: "key 1" })).toEqual({
      kind: "credentialEnded",
      credential: "key 1",
    });
    for (const [event, data] of [
      ["credentialEnded", {}],
      ["credentialEnded", null],
      ["rightsChanged", { workspace: "default" }],
      ["agentFenced", { workspace: "default", agent: "a", generation: "2" }],
      ["somethingNew", { of: "tomorrow" }],
      ["skipped", null],
    ] as const)
      expect(readNotice(event, data)).toEqual({ kind: "unknown" });
  });

  it("[ST-18] is no client's to read, by whatever name", async () => {
    const { nodes, a } = await twoNodes();
    const client = await a.open(
      { cookie: await a.signIn() },
      { subscribe: [{ stream: noticesStream, sub: 1, from: "start" }] },
    );
    await nodes.clock.advance(50);
    expect(client.of("refused")).toMatchObject([{ of: "subscribe", error: { code: "not_found" } }]);
  });
});

it("[AU-9] leaves nothing behind: a node that stops reads no notices more", async () => {
  const { nodes, a, b } = await twoNodes();
  await b.wait(b.stop());
  const reads = nodes.store.reads;
  await a.wait(a.authenticator.setRole(ownerId, "viewer"));
  await nodes.clock.advance(limits.heartbeatIntervalMs);
  expect(nodes.store.reads).toBe(reads);
});
