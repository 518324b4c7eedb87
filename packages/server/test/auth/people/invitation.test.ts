/**
 * Inviting people: the link, who may make one, and what a name may be.
 *
 * Seen red: with the link stored beside its answer; with 73 hours; with a link that a newer one does not end; with
 * codes of everybody that push each other out; with names of any characters.
 */
import { randomBytes } from "node:crypto";
import { uuidv7 } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { plugin as peoplePlugin } from "../../../src/auth/people/plugin.ts";
import { plugin as authPlugin } from "../../../src/auth/plugin.ts";
import { hashOfCode } from "../../../src/auth/signInCode.ts";
import type { Operation } from "../../../src/store/port.ts";
import { openEngine } from "../../support/engine.ts";
import { ada, uuidAt } from "../../support/principals.ts";
import { openPeople } from "./peopleWorld.ts";

const hourMs = 3_600_000;
const linkLifeMs = 72 * hourMs;

describe("a link that was made for somebody", () => {
  it("signs them in once, as who they were invited", async () => {
    const world = await openPeople();
    const { user, code } = await world.invite("  Ada Lovelace ", "operator");
    const cookie = await world.redeem(code);
    const client = await world.b.open({ cookie: cookie ?? "" });
    expect(client.of("welcome")[0]?.user).toEqual({
      id: user,
      name: "Ada Lovelace",
      role: "operator",
      workspace: "default",
      temporary: false,
    });
    expect(await world.redeem(code)).toBeUndefined();
  });

  it("[RQ-1] is told once: a repeat of the request gets the rest, and makes nobody", async () => {
    const world = await openPeople();
    const id = uuidAt(world.nodes);
    const params = { name: "Ada", role: "viewer" };
    const first = await world.ask(world.owner, "user.invite", params, id);
    const again = await world.ask(world.owner, "user.invite", params, id);
    const { link, ...rest } = first.result as Record<string, unknown>;
    expect(link).toMatch(/^\/#[\w-]{22}$/);
    expect(again.result).toEqual(rest);
    const { items } = await world.done(world.owner, "user.list", {});
    expect(items).toHaveLength(2);
  });

  it("works for 72 hours, and not a moment longer", async () => {
    let now = Date.now();
    const { engine, dialect } = await openEngine([authPlugin, peoplePlugin], () => now);
    const ask = async (operation: Operation): Promise<unknown> => {
      const [outcome] = (await engine.commit([operation])).outcomes;
      return outcome?.ok === true ? outcome.value : outcome;
    };
    const invite = async (): Promise<string> => {
      const params = { name: "Ada", role: "viewer" };
      const id = uuidv7(now, randomBytes(10));
      const made = await ask({ kind: "request", caller: ada, id, method: "user.invite", params, hash: id });
      return hashOfCode((made as { link: string }).link.replace("/#", ""));
    };
    const redeem = (hash: string): Promise<unknown> => {
      const input = { hash, session: uuidv7(now, randomBytes(10)), lifeMs: hourMs };
      return ask({ kind: "task", workspace: "default", task: "auth.redeemCode", input });
    };
    const [early, late] = [await invite(), await invite()];
    now += linkLifeMs - 1;
    expect(await redeem(early)).toMatchObject({ user: { name: "Ada", role: "viewer" } });
    now += 1;
    expect(await redeem(late)).toBeNull();
    await dialect.close();
  });

  it("is ended by the next one for the same person, and by nobody else's", async () => {
    const world = await openPeople();
    const { user, code } = await world.invite("Ada", "viewer");
    for (let count = 0; count < 25; count += 1) await world.a.wait(world.a.authenticator.signInCode());
    await world.invite("Kim", "viewer");
    const { items } = await world.done(world.owner, "user.list", {});
    expect(items).toContainEqual(expect.objectContaining({ id: user, linkExpiresAt: expect.any(Number) }));
    const { link } = await world.done(world.owner, "user.link", { user });
    expect(await world.redeem(code)).toBeUndefined();
    expect(await world.redeem(String(link).replace("/#", ""))).toBeDefined();
  });

  it("is made for nobody who signs in another way", async () => {
    const world = await openPeople();
    const issued = await world.issued("Grace", "viewer", "default");
    for (const user of ["owner", issued.user])
      expect(await world.ask(world.owner, "user.link", { user })).toMatchObject({
        error: { code: "conflict", details: { reason: "no_link" } },
      });
    expect(await world.ask(world.owner, "user.link", { user: "user-nobody" })).toMatchObject({
      error: { code: "not_found" },
    });
  });

  it("[L2] stands in no line of the log; who made it does", async () => {
    const world = await openPeople();
    const { user, code } = await world.invite("Ada", "operator");
    await world.done(world.owner, "user.link", { user });
    const lines = world.nodes.log.filter(({ event }) => /invited|link_made/.test(event));
    expect(lines).toMatchObject([
      { level: "info", event: "auth.user_invited", fields: { user, role: "operator", by: "owner" } },
      { level: "info", event: "auth.link_made", fields: { user, by: "owner" } },
    ]);
    expect(JSON.stringify(world.nodes.log)).not.toContain(code);
  });
});

describe("who is invited", () => {
  it.each([
    ["empty", ""],
    ["blank", " \t "],
    ["of two lines", "Ada\nOwner"],
    ["written backwards", "\u202eadA"],
    ["with something invisible", "Ow\u200bner"],
    ["with a NUL", "Ada\u0000"],
    ["too long", "x".repeat(201)],
    ["no text", 5],
  ])("has no name that is %s", async (_what, name) => {
    const world = await openPeople();
    expect(await world.ask(world.owner, "user.invite", { name, role: "viewer" })).toMatchObject({
      error: { code: "invalid_params", details: { field: "name" } },
    });
  });

  it.each(["agent", "owner", "", null, ["admin"]])("has no role %j", async (role) => {
    const world = await openPeople();
    expect(await world.ask(world.owner, "user.invite", { name: "Ada", role })).toMatchObject({
      error: { code: "invalid_params", details: { field: "role" } },
    });
  });
});

it.each(["viewer", "operator"])("a %s manages nobody", async (role) => {
  const world = await openPeople();
  const { user, cookie } = await world.person("Ada", role);
  const client = await world.b.open({ cookie });
  for (const [method, params] of [
    ["user.list", {}],
    ["user.invite", { name: "Kim", role: "admin" }],
    ["user.link", { user }],
    ["user.setRole", { user, role: "admin" }],
    ["user.remove", { user: "owner" }],
    ["session.list", { user: "owner" }],
  ] as const)
    expect([method, await world.ask(client, method, params)]).toMatchObject([method, { error: { code: "forbidden" } }]);
});

it("[OP-6] an agent asks none of it", async () => {
  const world = await openPeople();
  const token = await world.a.wait(world.a.authenticator.agentKey("a"));
  const agent = { name: "a", kind: "shell", host: "h", capabilities: [], process: uuidAt(world.nodes), open: [] };
  const client = await world.a.open({ token }, { agent });
  for (const [method, params] of [
    ["user.list", {}],
    ["user.invite", { name: "Kim", role: "admin" }],
    ["session.list", {}],
    ["session.revoke", { session: "x" }],
  ] as const)
    expect(await world.ask(client, method, params)).toMatchObject({ error: { code: "forbidden" } });
});
