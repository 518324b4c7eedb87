/**
 * API keys that admins make: for agents on other machines, and for scripts.
 *
 * Seen red: with the key in the stored answer, with any role let in, with another workspace's keys listed and ended, with
 * an end that no other node hears of.
 */
import { describe, expect, it } from "vitest";
import { uuidAt } from "../../support/principals.ts";
import { openPeople, type PeopleWorld } from "./peopleWorld.ts";

const instance = "0190a1b2-0000-7000-8000-000000000000";

interface Made {
  readonly key: string;
  readonly secret: string;
  readonly expiresAt: number;
}

const make = async (world: PeopleWorld, params: object, by = world.owner): Promise<Made> =>
  (await world.done(by, "key.create", params)) as unknown as Made;
const verdictOn = (world: PeopleWorld, token: string) =>
  world.b.wait(world.b.authenticator.verify({ token, instance }));
const listed = async (world: PeopleWorld, by = world.owner): Promise<readonly Record<string, unknown>[]> =>
  ((await world.done(by, "key.list", {})) as { items: readonly Record<string, unknown>[] }).items;

describe("a key", () => {
  it("[OP-6] of an agent may enrol one, on any node; of a script acts under its own name, as what it was made for", async () => {
    const world = await openPeople();
    const [agent, script] = [
      await make(world, { name: "build box", role: "agent" }),
      await make(world, { name: "nightly", role: "operator", days: 2 }),
    ];
    expect(await verdictOn(world, agent.secret)).toMatchObject({
      kind: "accepted",
      principal: { kind: "agent", role: "agent", name: "build box", key: { id: agent.key, enrol: true } },
    });
    expect(await verdictOn(world, script.secret)).toMatchObject({
      kind: "accepted",
      principal: { kind: "person", id: script.key, role: "operator", name: "nightly", key: { enrol: false } },
      expiresAt: script.expiresAt,
    });
    const days = (script.expiresAt - world.nodes.clock.now()) / 86_400_000;
    expect(days).toBeGreaterThan(1.99);
    expect(days).toBeLessThanOrEqual(2);
    expect((await listed(world)).filter(({ by }) => by === "owner")).toMatchObject([
      { key: script.key, name: "nightly", role: "operator", expiresAt: script.expiresAt },
      { key: agent.key, name: "build box", role: "agent" },
    ]);
  });

  it("[RQ-1] [L2] is told once: a repeat gets the rest, and no line has it", async () => {
    const world = await openPeople();
    const id = uuidAt(world.nodes);
    const params = { name: "build box", role: "agent" };
    const first = await world.ask(world.owner, "key.create", params, id);
    const again = await world.ask(world.owner, "key.create", params, id);
    const { secret, ...rest } = first.result as Readonly<Record<string, unknown>>;
    expect(secret).toMatch(/^hfk_/);
    expect(again.result).toEqual(rest);
    expect(JSON.stringify([world.nodes.log, await listed(world)])).not.toContain("hfk_");
    expect(world.nodes.log.filter(({ event }) => event === "auth.key_made").at(-1)?.fields).toMatchObject({
      keyId: rest["key"],
      holder: "build box",
      by: "owner",
    });
  });

  it("[AU-9] [T6] that is ended sends away who is here by it, on every node, and signs nobody in again", async () => {
    const world = await openPeople();
    const { key, secret } = await make(world, { name: "nightly", role: "viewer" });
    const client = await world.b.open({ token: secret });
    expect(client.of("welcome")).toHaveLength(1);
    expect(await world.done(world.owner, "key.revoke", { key })).toEqual({ key, name: "nightly", role: "viewer" });
    expect(await world.closedWithin(client, 1_000)).toBe(4403);
    expect(await verdictOn(world, secret)).toMatchObject({ kind: "forbidden" });
    expect((await listed(world)).map((one) => one["key"])).not.toContain(key);
    expect(await world.ask(world.owner, "key.revoke", { key })).toMatchObject({ error: { code: "not_found" } });
  });

  it("is made, seen and ended by admins only, in their own workspace only", async () => {
    const world = await openPeople();
    const { key } = await make(world, { name: "nightly", role: "viewer" });
    const script = await world.a.open({ token: (await make(world, { name: "script", role: "operator" })).secret });
    const { cookie } = await world.issued("elsewhere", "admin", "elsewhere");
    const stranger = await world.a.open({ cookie });
    const asked = [
      ["key.create", { name: "x", role: "admin" }],
      ["key.list", {}],
      ["key.revoke", { key }],
    ] as const;
    for (const [method, params] of asked)
      expect(await world.ask(script, method, params)).toMatchObject({ error: { code: "forbidden" } });
    expect(await listed(world, stranger)).toEqual([]);
    expect(await world.ask(stranger, "key.revoke", { key })).toMatchObject({ error: { code: "not_found" } });
    const theirs = await make(world, { name: "theirs", role: "operator" }, stranger);
    expect(await verdictOn(world, theirs.secret)).toMatchObject({ principal: { workspace: "elsewhere" } });
    expect((await listed(world)).map((one) => one["key"])).not.toContain(theirs.key);
  });

  it("lasts a year at most, and has a name of one line", async () => {
    const world = await openPeople();
    for (const params of [{ days: 0 }, { days: 366 }, { name: "two\nlines" }, { role: "owner" }])
      expect(await world.ask(world.owner, "key.create", { name: "x", role: "viewer", ...params })).toMatchObject({
        error: { code: "invalid_params" },
      });
  });
});
