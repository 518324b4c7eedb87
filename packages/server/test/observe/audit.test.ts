/**
 * The audit: what is done to others' rights and secrets stands there, once, with who, what, when and from where.
 *
 * Seen red: with refusals of the role told to nobody, and without their bound; with a repeat that writes again; with values
 * of a refused request told; with `told` naming a secret; with a search that stops one entry too far.
 */
import type { AuditEntry } from "@holdfast/protocol/schema";
import { describe, expect, it } from "vitest";
import { peopleMethods } from "../../src/auth/people/plugin.ts";
import { plugin as operations } from "../../src/observe/operationsPlugin.ts";
import { entriesPerMinuteMax } from "../../src/observe/refusedDeeds.ts";
import { defaultLifetimes } from "../../src/store/lifetimes.ts";
import type { Retained, RetainStep } from "../../src/store/port.ts";
import { openPeople, type PeopleWorld } from "../auth/people/peopleWorld.ts";
import { openEngine } from "../support/engine.ts";
import { plugin as notes } from "../support/notesApp.ts";
import { ada, newId, uuidAt } from "../support/principals.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;

/** The newest first. */
async function entries(world: PeopleWorld, params: object = {}): Promise<readonly AuditEntry[]> {
  const { items } = await world.done(world.owner, "audit.search", params);
  return items as readonly AuditEntry[];
}

describe("a deed", () => {
  it("stands in the audit with who did it, to whom, from where, and what became of it", async () => {
    const world = await openPeople();
    const { user, cookie } = await world.person("Ada", "viewer");
    await world.done(world.owner, "user.setRole", { user, role: "operator" });
    await world.done(world.owner, "user.link", { user });
    const { items: sessions } = await world.done(world.owner, "session.list", { user });
    const [{ id: session }] = sessions as [{ id: string }];
    await world.done(world.owner, "session.revoke", { session });
    await world.done(world.owner, "user.remove", { user });
    await world.done(world.owner, "log.setLevel", { level: "debug", minutes: 1 });
    expect(cookie).not.toBe("");
    const by = { id: "owner", name: "Owner", role: "admin" };
    const object = { type: "user", id: user };
    const from = { address: expect.any(String), connection: expect.stringMatching(/^[0-9a-f-]{36}$/) };
    expect(await entries(world)).toMatchObject([
      { by, from, action: "log.setLevel", about: { room: "*", level: "debug" }, given: ["minutes"] },
      { by, from, action: "user.remove", object, about: { name: "Ada", sessions: 0, keys: 0 } },
      { by, from, action: "session.revoke", object: { type: "session", id: session }, about: { user } },
      { by, from, action: "user.link", object, about: { name: "Ada" } },
      { by, from, action: "user.setRole", object, about: { name: "Ada", role: "operator", before: "viewer" } },
      { by, from, action: "user.invite", object, about: { name: "Ada", role: "viewer" } },
    ]);
  });

  it("that is refused leaves its code, and nothing that was asked for; a repeat leaves nothing more", async () => {
    const world = await openPeople();
    const id = uuidAt(world.nodes);
    const asked = { user: "owner", role: "viewer" };
    for (let times = 0; times < 2; times += 1) {
      const answer = await world.ask(world.owner, "user.setRole", asked, id);
      expect(answer).toMatchObject({ error: { code: "conflict" } });
    }
    const found = await entries(world);
    expect(found).toMatchObject([
      { action: "user.setRole", object: { type: "user", id: "owner" }, given: ["role"], refused: "conflict" },
    ]);
    expect(found[0]?.about).toEqual({});
    expect(JSON.stringify(found)).not.toContain("viewer");
  });

  it("that is repeated is one deed", async () => {
    const world = await openPeople();
    const id = uuidAt(world.nodes);
    for (let times = 0; times < 3; times += 1)
      await world.ask(world.owner, "user.invite", { name: "Ada", role: "viewer" }, id);
    expect(await entries(world)).toHaveLength(1);
  });

  it("that is not the caller's to do is told too, ten times a minute, then in one line of the log", async () => {
    const world = await openPeople();
    const { user, cookie } = await world.person("Ada", "viewer");
    let client = await world.b.open({ cookie });
    const climb = async (): Promise<void> => {
      const answer = await world.ask(client, "user.setRole", { user, role: "admin" });
      expect(answer).toMatchObject({ error: { code: "forbidden" } });
    };
    for (let times = 0; times < entriesPerMinuteMax + 5; times += 1) await climb();
    const found = await entries(world, { person: user });
    expect(found).toHaveLength(entriesPerMinuteMax);
    expect(found[0]).toMatchObject({
      by: { id: user, name: "Ada", role: "viewer" },
      action: "user.setRole",
      object: { type: "user", id: user },
      given: ["role"],
      refused: "forbidden",
    });
    const told = world.nodes.log.filter(({ event }) => event === "audit.refusals_left_out");
    expect(told).toMatchObject([{ fields: { by: user, method: "user.setRole" } }]);
    await world.nodes.clock.advance(minuteMs);
    client = await world.b.open({ cookie });
    await climb();
    const owner = await world.a.open({ cookie: world.ownerCookie });
    const { items } = await world.done(owner, "audit.search", { person: user });
    expect(items).toHaveLength(entriesPerMinuteMax + 1);
  });

  it("whose refusal the store does not take is a line of the log, and the caller has their answer", async () => {
    const world = await openPeople();
    const { user, cookie } = await world.person("Ada", "viewer");
    const client = await world.b.open({ cookie });
    world.nodes.store.failing = true;
    const answer = await world.ask(client, "user.remove", { user });
    expect(answer).toMatchObject({ error: { code: "forbidden" } });
    await world.nodes.clock.advance(2_000);
    const told = world.nodes.log.filter(({ event }) => event === "audit.refusal_unwritten");
    expect(told).toMatchObject([{ fields: { by: user, method: "user.remove" } }]);
  });

  it("[RQ-1] tells no secret: neither a link that was told once, nor what a declaration would give away", async () => {
    const world = await openPeople();
    const { code } = await world.invite("Ada", "viewer");
    expect(JSON.stringify(await entries(world))).not.toContain(code);
    const invite = peopleMethods({ signInLinks: true })["user.invite"];
    if (invite === undefined) throw new Error("there is no user.invite");
    const careless = { ...invite, audited: { told: ["link"] } };
    await expect(openEngine([{ ...notes, methods: { "user.invite": careless } }])).rejects.toThrow(/"link" is secret/);
  });

  it("is one with its entry: what a handler undoes leaves none", async () => {
    const add = notes.methods["note.add"];
    if (add === undefined) throw new Error("there is no note.add");
    const audited = { ...notes, methods: { "note.add": { ...add, audited: { told: ["text"] } } } };
    const { engine } = await openEngine([audited]);
    const commit = (text: string) =>
      engine.commit([{ kind: "request", caller: ada, id: newId(), method: "note.add", params: { text }, hash: text }]);
    const audit = async (text: string) =>
      (await commit(text)).appended.filter(({ stream }) => stream === "audit").flatMap(({ events }) => events);
    expect(await audit("plain")).toMatchObject([{ event: "audit.done" }]);
    const [entry, ...more] = await audit("refuse");
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ event: "audit.refused" });
    expect(entry?.json).not.toContain('"refuse"');
    // A fault of ours is no answer: the same request comes again.
    expect(await audit("break")).toEqual([]);
  });
});

describe("all that an admin can do to others", () => {
  it.each(Object.entries({ ...peopleMethods({ signInLinks: true }), ...operations.methods }))("%s", (_name, method) => {
    expect(method.audited !== undefined).toBe(method.kind === "effect");
  });
});

describe("audit.search", () => {
  it("finds by person and by method, page by page, each entry once", async () => {
    const world = await openPeople();
    const invited: string[] = [];
    for (let count = 0; count < 7; count += 1) invited.push((await world.invite(`Person ${count}`, "viewer")).user);
    await world.done(world.owner, "log.setLevel", { level: "debug", minutes: 1 });
    const found: AuditEntry[] = [];
    let next: unknown;
    do {
      const asked = { action: "user.", limit: 3, ...(next === undefined ? {} : { next }) };
      const page = await world.done(world.owner, "audit.search", asked);
      found.push(...(page["items"] as AuditEntry[]));
      next = page["next"];
    } while (next !== undefined);
    expect(found.map(({ object }) => object?.id)).toEqual(invited.toReversed());
    expect(await entries(world, { person: "OWN" })).toHaveLength(8);
    expect(await entries(world, { person: "owne", action: "log." })).toHaveLength(1);
    expect(await entries(world, { person: "nobody" })).toEqual([]);
    const refused = await world.ask(world.owner, "audit.search", { next: "first" });
    expect(refused).toMatchObject({ error: { code: "invalid_params", details: { field: "next" } } });
  });

  it("is an admin's", async () => {
    const world = await openPeople();
    const { cookie } = await world.person("Ada", "operator");
    const client = await world.b.open({ cookie });
    expect(await world.ask(client, "audit.search", {})).toMatchObject({ error: { code: "forbidden" } });
  });

  it("passes over what it cannot read as an entry, and reads what an older version wrote", async () => {
    const world = await openPeople();
    const by = { id: "ada", name: "Ada", role: "admin" };
    const events = [
      { event: "audit.done", data: { by, action: "log.setLevel", about: { room: "store" } } },
      { event: "audit.done", data: "something else" },
      { event: "audit.done", data: { by: null, action: 7 } },
    ];
    const write = world.nodes.store.commit([{ kind: "append", workspace: "default", stream: "audit", events }]);
    await world.a.wait(write);
    expect(await entries(world)).toMatchObject([{ by, action: "log.setLevel", about: { room: "store" } }]);
  });
});

describe("the audit's lifetime", () => {
  it("[ST-10] is a year; a store that is full takes nothing of it", async () => {
    const clock = { now: Date.UTC(2026, 0, 1) };
    const { engine, dialect } = await openEngine([operations, notes], () => clock.now);
    const events = [{ event: "audit.done", data: {} }];
    await engine.commit([{ kind: "append", workspace: "default", stream: "audit", events }]);
    const kept = async (): Promise<number> => {
      const lifetimes = { ...defaultLifetimes, workBytesMax: 1 };
      let from: Extract<RetainStep, { of: "events" }>["from"] | undefined = { stream: 0, offset: 0 };
      while (from !== undefined) {
        const { outcomes } = await engine.commit([{ kind: "retain", step: { of: "events", from, lifetimes } }]);
        from = (outcomes[0] as { value: Retained }).value.next;
      }
      return (await dialect.read("default", "audit", 0, 100, 1_000_000)).rows.length;
    };
    clock.now += 364 * dayMs;
    expect(await kept()).toBe(1);
    clock.now += 2 * dayMs;
    expect(await kept()).toBe(0);
  });
});
