/**
 * Roles and removal: on every node at once, and never so that nobody is left to decide.
 *
 * Seen red: with `isAdmin` that trusts the verdict; with removal or a new role that tells no node; with links that
 * outlive removal; with an unguarded owner; with somebody counted as an admin who was only invited; with people of
 * any workspace; with pages that forget the id.
 */
import { describe, expect, it } from "vitest";
import { openPeople, type PeopleWorld } from "./peopleWorld.ts";

const closedMsMax = 1_200;

describe("somebody who is removed", () => {
  it.each([false, true])(
    "[AU-9] is closed 4403 on every node (bus silent: %s), and comes back by no session, link or provider",
    async (isBusSilent) => {
      const world = await openPeople();
      const { user, cookie } = await world.person("Ada", "admin");
      const { link } = await world.done(world.owner, "user.link", { user });
      const clients = [await world.a.open({ cookie }), await world.b.open({ cookie })];
      expect(clients.map((client) => client.of("welcome").length)).toEqual([1, 1]);
      world.nodes.isBusSilent = isBusSilent;
      expect(await world.done(world.owner, "user.remove", { user })).toEqual({
        user,
        name: "Ada",
        sessions: 1,
        keys: 0,
      });
      for (const client of clients) expect(await world.closedWithin(client, closedMsMax)).toBe(4403);
      expect(await world.holds(cookie)).toBe(false);
      expect(await world.redeem(String(link).replace("/#", ""))).toBeUndefined();
      const { items } = await world.done(world.owner, "user.list", {});
      expect(items).toMatchObject([{ id: "owner" }]);
      for (const method of ["user.remove", "user.link"])
        expect(await world.ask(world.owner, method, { user })).toMatchObject({ error: { code: "not_found" } });
      expect(world.owner.closed).toBeUndefined();
    },
  );

  it("[AU-9] whom a provider has signed in is signed in by it no more", async () => {
    const world = await openPeople();
    const { user, cookie } = await world.issued("Grace", "operator", "default");
    const client = await world.b.open({ cookie });
    await world.done(world.owner, "user.remove", { user });
    expect(await world.closedWithin(client, closedMsMax)).toBe(4403);
    await expect(world.issued("Grace", "operator", "default")).rejects.toThrow("refused");
  });

  it("[A3] [AU-9] decides nothing more on a node that has not heard of it yet", async () => {
    const world = await openPeople();
    const { user, cookie } = await world.person("Ada", "admin");
    const there = await world.b.open({ cookie });
    world.nodes.isBusSilent = true;
    await world.done(world.owner, "user.remove", { user });
    expect(there.closed).toBeUndefined();
    expect(await world.ask(there, "user.invite", { name: "Kim", role: "admin" })).toMatchObject({
      error: { code: "forbidden" },
    });
  });
});

describe("a role that an admin changes", () => {
  it.each([false, true])(
    "[AU-9] holds at once on every node (bus silent: %s): closed 1012, and back with it",
    async (isBusSilent) => {
      const world = await openPeople();
      const { user, cookie } = await world.person("Ada", "viewer");
      const clients = [await world.a.open({ cookie }), await world.b.open({ cookie })];
      world.nodes.isBusSilent = isBusSilent;
      const done = await world.done(world.owner, "user.setRole", { user, role: "operator" });
      expect(done).toEqual({ user, name: "Ada", role: "operator", before: "viewer" });
      for (const client of clients) expect(await world.closedWithin(client, closedMsMax)).toBe(1012);
      await world.nodes.clock.advance(1);
      const back = await world.b.open({ cookie });
      expect(back.of("welcome")[0]?.user.role).toBe("operator");
      expect(await world.ask(back, "note.add", { text: "yes" })).toMatchObject({ result: { text: "yes" } });
    },
  );

  it("closes nobody where it is the one that they have", async () => {
    const world = await openPeople();
    const { user, cookie } = await world.person("Ada", "viewer");
    const client = await world.b.open({ cookie });
    await world.done(world.owner, "user.setRole", { user, role: "viewer" });
    expect(await world.closedWithin(client, closedMsMax)).toBeUndefined();
  });
});

describe("who must stay an admin", () => {
  const away = (method: string): [string, object] =>
    method === "user.setRole" ? [method, { role: "viewer" }] : [method, {}];

  it.each(["user.setRole", "user.remove"])("the owner of the machine, against %s", async (method) => {
    const world = await openPeople();
    const other = await world.person("Ada", "admin");
    const admin = await world.a.open({ cookie: other.cookie });
    const [, params] = away(method);
    expect(await world.ask(admin, method, { user: "owner", ...params })).toMatchObject({
      error: { code: "conflict", details: { reason: "owner" } },
    });
    expect(world.owner.closed).toBeUndefined();
  });

  it.each(["user.setRole", "user.remove"])(
    "the last one of a workspace who can come in, against %s; somebody who was only invited is none",
    async (method) => {
      const world = await openPeople();
      const last = await world.issued("Grace", "admin", "elsewhere");
      const client = await world.a.open({ cookie: last.cookie });
      const [, params] = away(method);
      const refused = { error: { code: "conflict", details: { reason: "last_admin" } } };
      expect(await world.ask(client, method, { user: last.user, ...params })).toMatchObject(refused);
      const { code } = await world.invite("Kim", "admin", client);
      expect(await world.ask(client, method, { user: last.user, ...params })).toMatchObject(refused);
      await world.redeem(code);
      expect(await world.ask(client, method, { user: last.user, ...params })).toMatchObject({
        result: { user: last.user },
      });
    },
  );
});

it("people of another workspace are as unknown as nobody", async () => {
  const world = await openPeople();
  const ada = await world.person("Ada", "viewer");
  const grace = await world.issued("Grace", "admin", "elsewhere");
  const client = await world.a.open({ cookie: grace.cookie });
  expect(await world.done(client, "user.list", {})).toMatchObject({
    items: [{ id: grace.user, signsInBy: "provider" }],
  });
  for (const user of [ada.user, "owner", "user-nobody"])
    for (const [method, params] of requests(user))
      expect([method, await world.ask(client, method, params)]).toMatchObject([
        method,
        { error: { code: "not_found" } },
      ]);
  expect(await world.holds(ada.cookie)).toBe(true);
});

it("an id of other characters is refused before anybody looks for it", async () => {
  const world = await openPeople();
  for (const user of ["", "a b", "a\u0000", "../owner", "x".repeat(201), 7])
    for (const [method, params] of requests(user))
      expect([method, await world.ask(world.owner, method, params)]).toMatchObject([
        method,
        { error: { code: "invalid_params", details: { field: "user" } } },
      ]);
});

function requests(user: unknown): [string, object][] {
  return [
    ["user.setRole", { user, role: "operator" }],
    ["user.remove", { user }],
    ["user.link", { user }],
    ["session.list", { user }],
  ];
}

it("the log says who did what to whom, and by which request", async () => {
  const world = await openPeople();
  const { user } = await world.person("Ada", "viewer");
  await world.done(world.owner, "user.setRole", { user, role: "operator" });
  await world.done(world.owner, "user.remove", { user });
  await world.ask(world.owner, "user.remove", { user });
  const told = world.nodes.log.filter(({ event }) => /role_changed|removed/.test(event));
  expect(told).toMatchObject([
    { event: "auth.role_changed", fields: { user, role: "operator", before: "viewer", by: "owner" } },
    { event: "auth.user_removed", fields: { user, sessions: 1, keys: 0, by: "owner" } },
  ]);
  for (const { level, fields } of told) {
    expect(level).toBe("info");
    expect(fields?.["request"]).toMatch(/^[0-9a-f-]{36}$/);
  }
});

describe("the list of people", () => {
  const names = async (world: PeopleWorld, params: object): Promise<[string[], unknown]> => {
    const { items, next } = await world.done(world.owner, "user.list", params);
    return [(items as { name: string }[]).map(({ name }) => name), next];
  };

  it("is by name, a page at a time, also where somebody of the page before is gone", async () => {
    const world = await openPeople();
    const kim = await world.invite("Kim", "viewer");
    for (const name of ["Ada", "Ada", "Zoe"]) await world.invite(name, "viewer");
    expect(await names(world, {})).toEqual([["Ada", "Ada", "Kim", "Owner", "Zoe"], undefined]);
    const [first, next] = await names(world, { limit: 3 });
    expect(first).toEqual(["Ada", "Ada", "Kim"]);
    await world.done(world.owner, "user.remove", { user: kim.user });
    expect(await names(world, { limit: 3, next })).toEqual([["Owner", "Zoe"], undefined]);
    // Two of one name are two.
    const walked: string[] = [];
    let place: unknown;
    do {
      const [page, after] = await names(world, { limit: 1, ...(place !== undefined && { next: place }) });
      walked.push(...page);
      place = after;
    } while (place !== undefined && walked.length < 10);
    expect(walked).toEqual(["Ada", "Ada", "Owner", "Zoe"]);
  });

  it("says how somebody comes in, and takes no place that it has not given", async () => {
    const world = await openPeople();
    await world.person("Ada", "operator");
    const { items } = await world.done(world.owner, "user.list", {});
    expect(items).toEqual([
      { id: expect.any(String), name: "Ada", role: "operator", signsInBy: "link", sessions: 1 },
      { id: "owner", name: "Owner", role: "admin", signsInBy: "commandLine", sessions: 1 },
    ]);
    for (const params of [{ next: "user-nobody" }, { limit: 0 }, { limit: 201 }, { next: "a\u0000" }])
      expect(await world.ask(world.owner, "user.list", params)).toMatchObject({ error: { code: "invalid_params" } });
  });
});
