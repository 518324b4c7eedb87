/**
 * Sessions: seen and ended by who has them, and by admins.
 *
 * Seen red: where anybody ends anybody's; across workspaces; without a bound; with the bound by age instead of use.
 */
import { expect, it } from "vitest";
import { sessionsMax } from "../../../src/auth/accountTasks.ts";
import type { TestClient } from "../../support/world.ts";
import { openPeople, type PeopleWorld } from "./peopleWorld.ts";

interface Listed {
  readonly id: string;
  readonly user: string;
  readonly created: number;
  readonly expiresAt: number;
  readonly current: boolean;
}

async function listed(world: PeopleWorld, client: TestClient, params: object = {}): Promise<Listed[]> {
  const { items } = await world.done(client, "session.list", params);
  return items as Listed[];
}

it("a person sees their own, the newest first, and which of them they are looking by", async () => {
  const world = await openPeople();
  await world.nodes.clock.advance(1_000);
  const newer = await world.b.open({ cookie: await world.b.signIn() });
  await world.person("Ada", "viewer");
  const found = await listed(world, newer);
  expect(found).toMatchObject([
    { user: "owner", current: true },
    { user: "owner", current: false },
  ]);
  const [first, second] = found;
  expect(first?.created).toBeGreaterThan(second?.created ?? 0);
  expect(first?.expiresAt).toBeGreaterThan(world.nodes.clock.now());
  expect((await listed(world, world.owner)).map(({ current }) => current)).toEqual([false, true]);
});

it("[T6] [AU-9] ending one's own closes it on another node, 4403, and no other", async () => {
  const world = await openPeople();
  const { cookie } = await world.person("Ada", "viewer");
  const second = await world.b.open({ cookie: await world.b.signIn() });
  const third = await world.b.open({ cookie });
  const [session] = (await listed(world, second)).filter(({ current }) => current);
  expect(await world.done(world.owner, "session.revoke", { session: session?.id })).toEqual({
    session: session?.id,
    user: "owner",
  });
  expect(await world.closedWithin(second, 1_200)).toBe(4403);
  expect([world.owner.closed, third.closed]).toEqual([undefined, undefined]);
  expect(await listed(world, world.owner)).toHaveLength(1);
  expect(await world.ask(world.owner, "session.revoke", { session: session?.id })).toMatchObject({
    error: { code: "not_found" },
  });
  expect(world.nodes.log.filter(({ event }) => event === "auth.session_revoked")).toMatchObject([
    { level: "info", fields: { session: session?.id, user: "owner", by: "owner" } },
  ]);
});

it("another's is an admin's to see and to end; to anybody else it is unknown", async () => {
  const world = await openPeople();
  const [ada, kim] = [await world.person("Ada", "operator"), await world.person("Kim", "viewer")];
  const [adas, kims] = [await world.b.open({ cookie: ada.cookie }), await world.b.open({ cookie: kim.cookie })];
  const [session] = await listed(world, adas);
  expect(await world.ask(kims, "session.revoke", { session: session?.id })).toMatchObject({
    error: { code: "not_found" },
  });
  expect(await world.holds(ada.cookie)).toBe(true);
  expect(await listed(world, world.owner, { user: ada.user })).toMatchObject([{ id: session?.id, current: false }]);
  await world.done(world.owner, "session.revoke", { session: session?.id });
  expect(await world.closedWithin(adas, 1_200)).toBe(4403);
  expect(await world.holds(ada.cookie)).toBe(false);
});

it("of another workspace even an admin finds none", async () => {
  const world = await openPeople();
  const grace = await world.issued("Grace", "admin", "elsewhere");
  const client = await world.a.open({ cookie: grace.cookie });
  const [session] = await listed(world, world.owner);
  expect(await world.ask(client, "session.revoke", { session: session?.id })).toMatchObject({
    error: { code: "not_found" },
  });
  expect(await world.holds(world.ownerCookie)).toBe(true);
});

it("an id of other characters is refused before anybody looks for it", async () => {
  const world = await openPeople();
  for (const session of ["", "a b", "a\u0000", "x".repeat(201), null])
    expect(await world.ask(world.owner, "session.revoke", { session })).toMatchObject({
      error: { code: "invalid_params", details: { field: "session" } },
    });
});

it(`[AU-9] beyond ${sessionsMax} of one person the one ends that was used longest ago`, {
  timeout: 60_000,
}, async () => {
  const world = await openPeople();
  const { cookie } = await world.person("Ada", "viewer");
  await world.nodes.clock.advance(1_000);
  const second = await world.b.signIn();
  await world.nodes.clock.advance(1_000);
  // The oldest is used: its page refreshes it.
  await world.a.wait(world.a.authenticator.refresh({ cookie: world.ownerCookie, instance: "x" }));
  for (let count = 2; count < sessionsMax; count += 1) await world.a.signIn();
  expect(await world.holds(second)).toBe(true);
  await world.a.signIn();
  await world.nodes.clock.advance(1_200);
  expect([await world.holds(second), await world.holds(world.ownerCookie), await world.holds(cookie)]).toEqual([
    false,
    true,
    true,
  ]);
  expect(await listed(world, world.owner)).toHaveLength(sessionsMax);
});
