/** The fleet's fold and its groups. */
import { describe, expect, it } from "vitest";
import { emptyFleet, fleetFromSnapshot, foldFleet, grouped, groupOf } from "../../src/shared/data/fleetState.ts";
import { makeAgent, makeEvent } from "../support/sampleData.ts";

describe("fleet", () => {
  it("takes the whole agent of each event; folding one twice changes nothing", () => {
    const event = makeEvent("agent.changed", { agent: makeAgent({ activity: "working" }) });
    const once = foldFleet(fleetFromSnapshot({ agents: [makeAgent()] }), event);
    expect(once.agents.get("agent-1")?.activity).toBe("working");
    expect(foldFleet(once, event).agents).toEqual(once.agents);
  });

  it("[TR-5] ignores an event that it does not know, and forgets a removed agent", () => {
    expect(foldFleet(emptyFleet, makeEvent("agent.sang", {}))).toBe(emptyFleet);
    const fleet = fleetFromSnapshot({ agents: [makeAgent()] });
    expect(foldFleet(fleet, makeEvent("agent.removed", { agent: "agent-1" })).agents.size).toBe(0);
  });

  it("groups by what an agent needs", () => {
    expect(groupOf(makeAgent({ activity: "waiting" }))).toBe("attention");
    expect(groupOf(makeAgent({ activity: "working" }))).toBe("working");
    expect(groupOf(makeAgent())).toBe("idle");
    expect(groupOf(makeAgent({ status: "offline" }))).toBe("offline");
    expect(groupOf(makeAgent({ status: "offline", command: "c1" }))).toBe("attention");
  });

  it("[F51] leaves a reconnecting agent where it is", () => {
    expect(groupOf(makeAgent({ status: "reconnecting", activity: "working" }))).toBe("working");
  });

  it("orders by name within a group, whatever the activity", () => {
    const agents = [
      makeAgent({ id: "b", name: "node-10" }),
      makeAgent({ id: "a", name: "node-9", statusAt: 9_000 }),
      makeAgent({ id: "c", name: "Beta", queued: 5 }),
    ];
    expect(grouped(fleetFromSnapshot({ agents }))).toMatchObject([
      { group: "idle", agents: [{ name: "Beta" }, { name: "node-9" }, { name: "node-10" }] },
    ]);
  });
});
