/**
 * A crowd whose server is killed with SIGKILL and started again: it comes back at the budget, each client by its slot,
 * and each has every event once and in order.
 *
 * `npm run proof:return` does it with 10,000 clients at the default budget, with 1,000, and with the budget off. The
 * clients are production clients over real sockets.
 */
import { afterAll, expect, test } from "vitest";
import { appendLedger, currentCommit } from "../../simulation/src/ledger.ts";
import { budgetOff, type ComeBack, comeBack } from "../src/crowd/comeBack.ts";
import { type Harms, harmsOf } from "../src/crowd/harmsOf.ts";

interface Return {
  readonly clients: number;
  /** Openings a second. */
  readonly budget: number;
  /** From the kill until the last is live. */
  readonly returnedMsMax: number;
}

const defaultBudget = 500;
const whole: readonly Return[] = [
  { clients: 10_000, budget: defaultBudget, returnedMsMax: 30_000 },
  { clients: 1_000, budget: defaultBudget, returnedMsMax: 30_000 },
  { clients: 10_000, budget: budgetOff, returnedMsMax: 10_000 },
];
/** Beside other tests a start takes as long as it takes, and who found nobody five times waits longer (CL-3). */
const short: readonly Return[] = [{ clients: 200, budget: 100, returnedMsMax: 120_000 }];
const returns = process.env["RETURNS"] === "whole" ? whole : short;
/** CL-3: only a connection of 10 s makes a client forget the failures before it. The short version forgets none. */
const provenMs = returns === whole ? 10_500 : 1_000;
/** The gate counts where an opening begins, and the judge some microseconds later. */
const judgedLate = 1;

const none: Harms = { lost: 0, repeated: 0, reordered: 0, phantom: 0, silentGaps: 0, missed: 0 };
const seen: { readonly asked: Return; readonly came: ComeBack }[] = [];
const began = Date.now();

test.each(returns)("[CL-4][AD-3][F16][I1] $clients clients after SIGKILL, budget $budget/s", async (asked) => {
  const { clients, budget, returnedMsMax } = asked;
  const came = await comeBack({ clients, budget, provenMs });
  seen.push({ asked, came });
  const { judged, judgedWorstSecond, judgedEachSecond, cpuMs } = came.server;
  console.log(
    `return: ${clients} clients, budget ${budget}/s: server up after ${came.upMs} ms, all live after ${came.backMs} ms, ` +
      `worst second ${judgedWorstSecond}, ${judged} openings began, ${came.sockets} sockets; ${came.notes.length} events each\n` +
      `  openings a second ${judgedEachSecond.join(" ")}; CPU: server ${cpuMs} ms, its start included, clients ${came.clientsCpuMs} ms`,
  );
  expect(came.end.faults).toEqual([]);
  expect(came.end.lost).toBe(clients);
  // Of what was acknowledged nothing is lost, nothing happened twice, and each client has all of it in its order.
  expect(came.done.length).toBeGreaterThan(0);
  expect(harmsOf(came)).toEqual(none);
  if (budget !== budgetOff) expect(judgedWorstSecond).toBeLessThanOrEqual(budget + judgedLate);
  expect(came.backMs).toBeLessThan(returnedMsMax);
});

test("harms have names", () => {
  const held = { notes: ["a", "b"], done: ["a"] };
  const end = { appliedMin: 2, appliedMax: 2, folds: [], faults: [] };
  expect(harmsOf({ ...held, end })).toEqual(none);
  expect(harmsOf({ ...held, done: ["c"], end })).toEqual({ ...none, lost: 1 });
  expect(harmsOf({ ...held, notes: ["a", "a"], end })).toEqual({ ...none, repeated: 1 });
  expect(harmsOf({ ...held, end: { ...end, folds: [1] } })).toEqual({ ...none, reordered: 1 });
  expect(harmsOf({ ...held, end: { ...end, appliedMax: 3 } })).toEqual({ ...none, phantom: 1 });
  expect(harmsOf({ ...held, end: { ...end, appliedMin: 1 } })).toEqual({ ...none, silentGaps: 1 });
  const faults = ["client 7 was given 3 after 1", "client 8 stopped: forbidden"];
  expect(harmsOf({ ...held, end: { ...end, faults } })).toEqual({ ...none, silentGaps: 1, missed: 1 });
});

// Whatever came of them: a run that ended in an error is one that missed what it asked for.
afterAll(() => {
  if (process.env["LEDGER"] !== "1") return;
  const all = seen.map(({ came }) => harmsOf(came));
  const sum = (figure: keyof Harms): number => all.reduce((total, harms) => total + harms[figure], 0);
  const late = seen.filter(({ asked, came }) => {
    const isOver = asked.budget !== budgetOff && came.server.judgedWorstSecond > asked.budget + judgedLate;
    return isOver || came.backMs >= asked.returnedMsMax;
  });
  appendLedger({
    command: "return",
    commit: currentCommit(),
    minutes: (Date.now() - began) / 60_000,
    deliveries: seen.reduce((total, { came }) => total + came.clients * came.notes.length, 0),
    faults: seen.length,
    lost: sum("lost"),
    repeated: sum("repeated"),
    reordered: sum("reordered"),
    phantom: sum("phantom"),
    silentGaps: sum("silentGaps"),
    missed: sum("missed") + late.length + (returns.length - seen.length),
  });
});
