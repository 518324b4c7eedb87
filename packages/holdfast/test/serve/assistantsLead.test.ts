/**
 * One of several servers runs the assistants: over the real methods, with a clock that the test holds.
 *
 * Seen red: with a holder that is taken over from while it beats, or though it has beaten since; with answers that took too
 * long and count; with a lead that is not left.
 */
import { expect, it } from "vitest";
import { openControl, person } from "../../../control/test/support/control.ts";
import { createSimClock } from "../../../server/test/support/simClock.ts";
import { followLead, type LeadWish, lookApartMs } from "../../src/serve/assistantsLead.ts";

/** A lease, a look, and the look that takes it. */
const takeoverMsMax = 21_000;
/** The store must have answered for so long before anybody is judged. */
const judgedAfterMs = 30_000;

async function openServers() {
  const control = await openControl();
  const clock = createSimClock();
  const admin = { ...person(), role: "admin" as const };
  const told: string[] = [];
  const asked: LeadWish[] = [];
  const start = (holder: string) => {
    const server = { isDead: false, hasStore: true };
    const lead = followLead({
      holder,
      clock: {
        monotonic: () => clock.monotonic(),
        // A process that was killed does nothing more.
        after: (ms, run) => clock.after(ms, () => void (server.isDead || run())),
        cancel: (handle) => clock.cancel(handle),
      },
      ask: async (wish) => {
        if (!server.hasStore) throw new Error("the store is away, as asked");
        asked.push(wish);
        return control.call("assistant.lead", { ...wish }, admin);
      },
      changed: (leads) => void told.push(`${holder} ${leads ? "leads" : "stands by"}`),
    });
    return Object.assign(server, lead);
  };
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) await clock.advance(1_000);
  };
  return { control, told, asked, start, advance };
}

it("the first who asks, then whoever has seen it stand still for a lease; who comes back stands by", async () => {
  const { control, told, start, advance } = await openServers();
  const a = start("a");
  await advance(1_000);
  start("b");
  await advance(judgedAfterMs + lookApartMs);
  expect(told).toEqual(["a leads", "b stands by"]);
  a.isDead = true;
  await advance(takeoverMsMax);
  expect(told.slice(2)).toEqual(["b leads"]);
  start("a");
  await advance(1_000);
  expect(told.slice(3)).toEqual(["a stands by"]);
  const entries = await control.events("audit");
  expect(entries).toMatchObject([
    { data: { action: "assistant.lead", object: { type: "server", id: "b" }, about: { before: "a" } } },
  ]);
});

it("the same one again, at once, where it was only started anew", async () => {
  const { told, start, advance } = await openServers();
  start("a").isDead = true;
  await advance(1_000);
  start("a");
  await advance(1_000);
  expect(told).toEqual(["a leads", "a leads"]);
});

it("one that leaves is followed at the next look", async () => {
  const { told, start, advance } = await openServers();
  const a = start("a");
  await advance(1_000);
  start("b");
  await advance(1_000);
  await a.leave();
  await advance(lookApartMs);
  expect(told).toEqual(["a leads", "b stands by", "b leads"]);
});

it("[I5] nobody is taken for dead by who could not hear of it", async () => {
  const { told, start, advance } = await openServers();
  const [a, b] = [start("a"), start("b")];
  await advance(judgedAfterMs + lookApartMs);
  for (const server of [a, b]) server.hasStore = false;
  await advance(60_000);
  b.hasStore = true;
  await advance(judgedAfterMs - 2 * lookApartMs);
  a.hasStore = true;
  await advance(60_000);
  expect(told).toEqual(["a leads", "b stands by"]);
});

it("of several who wait one takes it, and nobody before its time", async () => {
  const { told, asked, start, advance } = await openServers();
  const a = start("a");
  await advance(1_000);
  for (const holder of ["b", "c", "d"]) start(holder);
  await advance(judgedAfterMs + lookApartMs);
  expect(asked.filter(({ takes }) => takes !== undefined)).toEqual([]);
  a.isDead = true;
  await advance(60_000);
  expect(told.filter((word) => word.endsWith(" leads"))).toHaveLength(2);
});

it("one that has beaten since it was seen standing keeps it", async () => {
  const { control } = await openServers();
  const admin = { ...person(), role: "admin" as const };
  const ask = (wish: LeadWish) => control.call("assistant.lead", { ...wish }, admin);
  const seen = await ask({ holder: "a" });
  expect(seen).toEqual({ holder: "a", beat: 1 });
  await ask({ holder: "a" });
  expect(await ask({ holder: "b", takes: { holder: "a", beat: seen.beat } })).toEqual({ holder: "a", beat: 2 });
  expect(await ask({ holder: "b", takes: { holder: "a", beat: 2 } })).toEqual({ holder: "b", beat: 3 });
  expect(await ask({ holder: "c", takes: { holder: "a", beat: 2 } })).toEqual({ holder: "b", beat: 3 });
  expect(await control.events("audit")).toHaveLength(1);
});
