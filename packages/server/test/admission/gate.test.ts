/** How many openings begin, and who goes first (AD-3). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOpeningGate, type GateTicket } from "../../src/admission/openingGate.ts";
import { createSocketsWithoutHello } from "../../src/admission/socketsWithoutHello.ts";
import { createSimClock } from "../support/simClock.ts";

function tickets(begun: number[]) {
  return (name: number): GateTicket => ({ begin: () => void begun.push(name) });
}

describe("the gate", () => {
  it("[AD-3] at most so many under way, and a due slot goes before a newcomer", () => {
    const gate = createOpeningGate(createSimClock(), { perSecond: 100, underWayMax: 2, waitingMax: 2 });
    const begun: number[] = [];
    const make = tickets(begun);
    const [one, two, three, four] = [make(1), make(2), make(3), make(4)];
    expect([gate.ask(one, false), gate.ask(two, true)]).toEqual(["begun", "begun"]);
    expect([gate.ask(make(9), false), gate.ask(three, true), gate.ask(four, true)]).toEqual([
      "refused",
      "waiting",
      "waiting",
    ]);
    expect([gate.isFull, gate.ask(make(9), true)]).toEqual([true, "refused"]);
    gate.end(one);
    expect(begun).toEqual([1, 2, 3]);
    gate.end(one);
    // Four still waits: nobody goes before it.
    expect(gate.ask(make(9), false)).toBe("refused");
    gate.end(four);
    gate.end(two);
    expect(begun).toEqual([1, 2, 3]);
    expect(gate.ask(make(5), false)).toBe("begun");
  });

  it("[AD-3] a newcomer takes no place that has just come free for who waits", () => {
    let now = 0;
    const timers: (() => void)[] = [];
    const clock = {
      now: () => now,
      monotonic: () => now,
      after: (_ms: number, run: () => void) => timers.push(run),
      cancel: () => {},
    };
    const gate = createOpeningGate(clock, { perSecond: 1, underWayMax: 10, waitingMax: 10 });
    const begun: number[] = [];
    const make = tickets(begun);
    gate.ask(make(1), true);
    gate.ask(make(2), true);
    // There is a place now, and the timer that gives it away is a moment late.
    now = 1_000;
    expect(gate.ask(make(3), false)).toBe("refused");
    for (const run of timers) run();
    expect(begun).toEqual([1, 2]);
  });

  it("[AD-3] whoever waits for the budget begins by itself as soon as there is some", async () => {
    const clock = createSimClock();
    const gate = createOpeningGate(clock, { perSecond: 2, underWayMax: 100, waitingMax: 100 });
    const begun: number[] = [];
    const make = tickets(begun);
    for (let name = 1; name <= 5; name += 1) gate.ask(make(name), true);
    expect(begun).toEqual([1, 2]);
    await clock.advance(999);
    expect(begun).toEqual([1, 2]);
    await clock.advance(1);
    expect(begun).toEqual([1, 2, 3, 4]);
    await clock.advance(1_000);
    expect(begun).toEqual([1, 2, 3, 4, 5]);
    expect(clock.timers).toBe(0);
    gate.ask(make(6), true);
    gate.ask(make(7), true);
    expect(clock.timers).toBe(1);
    gate.stop();
    expect(clock.timers).toBe(0);
  });

  it("[AD-3] in no second more than the budget, and never more under way, whatever comes when", async () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant("ask" as const), due: fc.boolean() }),
      fc.record({ kind: fc.constant("end" as const), which: fc.nat(50) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(700) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 120 }), async (operations) => {
        const clock = createSimClock();
        const gate = createOpeningGate(clock, { perSecond: 5, underWayMax: 8, waitingMax: 3 });
        const begunAt: number[] = [];
        const underWay = new Set<GateTicket>();
        const all: GateTicket[] = [];
        for (const one of operations) {
          if (one.kind === "wait") await clock.advance(one.ms);
          else if (one.kind === "end") {
            const ticket = all[one.which % Math.max(1, all.length)];
            if (ticket !== undefined) {
              underWay.delete(ticket);
              gate.end(ticket);
            }
          } else {
            const ticket: GateTicket = {
              begin: () => {
                begunAt.push(clock.monotonic());
                underWay.add(ticket);
              },
            };
            all.push(ticket);
            gate.ask(ticket, one.due);
          }
          expect(underWay.size).toBeLessThanOrEqual(8);
        }
        for (const from of begunAt)
          expect(begunAt.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(5);
        gate.stop();
      }),
      { numRuns: 60 },
    );
  });
});

describe("sockets without a hello", () => {
  it("[AD-3] the oldest of the address gives way, then the oldest of the node", () => {
    const silent = createSocketsWithoutHello<string>(4, 2);
    expect([silent.add("a1", "a"), silent.add("b1", "b"), silent.add("a2", "a")]).toEqual([[], [], []]);
    expect(silent.add("a3", "a")).toEqual(["a1"]);
    expect(silent.add("c1", "c")).toEqual([]);
    expect(silent.add("d1", "d")).toEqual(["b1"]);
    silent.remove("a2");
    silent.remove("a2");
    expect(silent.add("e1", "e")).toEqual([]);
    expect(silent.size).toBe(4);
  });
});
