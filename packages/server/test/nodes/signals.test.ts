/**
 * Signals across nodes (ST-17): batched, the latest wins, dropped first, and never in the way of anything else.
 *
 * Seen red: "latest wins" with a relay whose key has no sender; "dropped first" with one that keeps all.
 */
import type { Signal } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { relaySignals } from "../../src/gateway/signalRelay.ts";
import { createSignalBoard } from "../../src/gateway/signals.ts";
import type { BusNotice, FarSignal } from "../../src/streams/bus.ts";
import { openNodes } from "../support/nodes.ts";
import { createSimClock } from "../support/simClock.ts";

const reading = { subscribe: [{ stream: "notes", sub: 1, from: "start" }] };
const typing = (data: unknown) => ({ type: "signal", stream: "notes", signal: "typing", data });

describe("signals between nodes", () => {
  it("[ST-17] what is said on one is heard on the other within 250 ms, the latest only, as who said it", async () => {
    const nodes = await openNodes();
    const [a, b] = [await nodes.start(), await nodes.start()];
    const [speaker, near] = [
      await a.open({ cookie: await a.signIn() }, reading),
      await a.open({ cookie: await a.signIn() }, reading),
    ];
    const [far, elsewhere] = [
      await b.open({ cookie: await b.signIn() }, reading),
      await b.open({ cookie: await b.signIn() }, { subscribe: [{ stream: "admins", sub: 1, from: "start" }] }),
    ];
    await nodes.clock.advance(100);
    for (const word of ["t", "te", "tex"]) speaker.send(typing({ word, from: "somebody else" }));
    await nodes.clock.advance(0);
    expect(near.of("signal")).toHaveLength(3);
    expect(far.of("signal")).toEqual([]);
    await nodes.clock.advance(260);
    expect(far.of("signal")).toEqual([
      {
        type: "signal",
        stream: "notes",
        signal: "typing",
        data: { word: "tex", from: "somebody else" },
        from: "owner",
      },
    ]);
    await nodes.clock.advance(2_000);
    expect([speaker, near, far, elsewhere].map((client) => client.of("signal").length)).toEqual([0, 3, 1, 0]);
    const said = [...a.said, ...b.said].filter(({ kind }) => kind === "signals");
    expect(said).toHaveLength(1);
  });

  it("[ST-17] where the bus is silent they are gone, and nothing is later for it", async () => {
    const nodes = await openNodes();
    const [a, b] = [await nodes.start(), await nodes.start()];
    const speaker = await a.open({ cookie: await a.signIn() }, reading);
    const far = await b.open({ cookie: await b.signIn() }, reading);
    nodes.isBusSilent = true;
    speaker.send(typing("lost"));
    await nodes.clock.advance(1_000);
    nodes.isBusSilent = false;
    speaker.send(typing("heard"));
    await nodes.clock.advance(1_000);
    expect(far.of("signal").map(({ data }) => data)).toEqual(["heard"]);
  });
});

describe("the relay", () => {
  function openRelay() {
    const clock = createSimClock();
    const batches: (readonly FarSignal[])[] = [];
    let say = (_notice: BusNotice): void => {};
    const relay = relaySignals({
      board: createSignalBoard(),
      clock,
      bus: {
        publishSignals: (signals) => void batches.push(signals),
        listen: (hear) => {
          say = hear;
          return () => {};
        },
      },
    });
    const heard: Signal[] = [];
    relay.join("default", "notes", { hearSignal: (signal) => void heard.push(signal) });
    return { clock, batches, relay, heard, say: (notice: BusNotice) => say(notice) };
  }
  const signal = (from: string, data: unknown = null): Signal => ({
    type: "signal",
    stream: "notes",
    signal: "typing",
    from,
    data,
  });

  it("[ST-17] sends at most one batch in 250 ms, of each sender the latest, and of too many the newest", async () => {
    const { clock, batches, relay } = openRelay();
    for (let index = 0; index < 600; index += 1) relay.send("default", signal(`u${index}`, index));
    for (const data of [1, 2, 3]) relay.send("default", signal("u599", data));
    await clock.advance(249);
    expect(batches).toEqual([]);
    await clock.advance(1);
    expect(batches.map(({ length }) => length)).toEqual([500]);
    expect(batches[0]?.at(-1)).toEqual({
      workspace: "default",
      stream: "notes",
      signal: "typing",
      from: "u599",
      data: 3,
    });
    expect(batches[0]?.[0]?.from).toBe("u100");
    relay.send("default", signal("u1"));
    await clock.advance(249);
    expect(batches).toHaveLength(1);
    await clock.advance(1);
    expect(batches).toHaveLength(2);
  });

  it("[ST-17] what came from another node is told here, and goes on to nobody", async () => {
    const { clock, batches, heard, say, relay } = openRelay();
    say({ kind: "signals", signals: [{ workspace: "default", stream: "notes", signal: "typing", from: "far" }] });
    say({ kind: "signals", signals: [{ workspace: "other", stream: "notes", signal: "typing", from: "far" }] });
    say({ kind: "all" });
    await clock.advance(1_000);
    expect(heard).toEqual([{ type: "signal", stream: "notes", signal: "typing", from: "far" }]);
    expect(batches).toEqual([]);
    relay.send("default", signal("u1"));
    relay.stop();
    await clock.advance(1_000);
    expect([batches.length, clock.timers]).toEqual([0, 0]);
  });
});
