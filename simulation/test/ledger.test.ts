/** The ledger's text: rows are appended, nothing goes, and the bounds follow from all rows. */
import { expect, test } from "vitest";
import { type LedgerEntry, withEntry } from "../src/ledger.ts";

const empty = "# Page\n\n<!-- ledger: appended by the commands -->\n\n<!-- end of the ledger -->\n\nAfter.\n";
const none = { lost: 0, repeated: 0, reordered: 0, phantom: 0, silentGaps: 0 };

function makeEntry(entry: Partial<LedgerEntry>): LedgerEntry {
  return { command: "chaos", commit: "abc1234", ...none, ...entry };
}

test("a first row, with the bound of its kind", () => {
  const text = withEntry(empty, makeEntry({ seeds: "7", minutes: 10, deliveries: 600_000, faults: 120 }));
  expect(text).toContain("| `chaos` | `abc1234` | 7 |  | 10 | 600,000 | 120 |  |  | 0 | 0 | 0 | 0 | 0 |");
  expect(text).toContain("- With real processes: 600,000 deliveries, no harm: less than 5.0e-6 a delivery");
  expect(text).toContain("# Page\n");
  expect(text).toContain("After.\n");
});

test("rows add up within their kind, and stay", () => {
  const one = withEntry(empty, makeEntry({ deliveries: 100_000 }));
  const two = withEntry(one, makeEntry({ command: "soak", deliveries: 200_000 }));
  const three = withEntry(two, makeEntry({ command: "sim", deliveries: 5_000_000, virtualHours: 201.25 }));
  const four = withEntry(three, makeEntry({ command: "powercut", powerCuts: 20, deliveries: 1_000 }));
  expect(four.split("\n").filter((line) => line.startsWith("| `"))).toHaveLength(4);
  expect(four).toContain("- With real processes: 300,000 deliveries, no harm: less than 1.0e-5");
  expect(four).toContain("- In the simulation: 5,000,000 deliveries, no harm: less than 6.0e-7");
  expect(four).toContain("- With real power cuts: 20 power cuts, no harm: less than 1.5e-1 a power cut");
});

test("a harm is kept, and takes the bound away", () => {
  const harmed = withEntry(empty, makeEntry({ deliveries: 1_000, silentGaps: 2 }));
  const later = withEntry(harmed, makeEntry({ deliveries: 1_000_000 }));
  expect(later).toContain("- With real processes: 1,001,000 deliveries, **2 harmed**: no bound can be given.");
});

test("a row that measured wrongly stays as it was, and counts in no bound", () => {
  const harmed = withEntry(empty, makeEntry({ commit: "bad5eed", deliveries: 1_000, silentGaps: 2 }));
  const later = withEntry(harmed.replace("`bad5eed`", "`bad5eed` †"), makeEntry({ deliveries: 3_000 }));
  expect(later).toContain("| `chaos` | `bad5eed` † |  |  |  | 1,000 |  |  |  | 0 | 0 | 0 | 0 | 2 |");
  expect(later).toContain("- With real processes: 3,000 deliveries, no harm");
});

test("the same seeds run again are no further evidence", () => {
  const simulated = { command: "sim", seeds: "1–2000", deliveries: 5_000_000 } as const;
  const twice = withEntry(withEntry(empty, makeEntry(simulated)), makeEntry({ ...simulated, commit: "def5678" }));
  expect(twice.split("\n").filter((line) => line.startsWith("| `"))).toHaveLength(2);
  expect(twice).toContain("- In the simulation: 5,000,000 deliveries, no harm");
  const further = withEntry(twice, makeEntry({ ...simulated, seeds: "2001–4000" }));
  expect(further).toContain("- In the simulation: 10,000,000 deliveries, no harm");
  const mended = withEntry(withEntry(empty, makeEntry({ ...simulated, lost: 1 })), makeEntry(simulated));
  expect(mended).toContain("**1 harmed**");
});

test("what a run missed is in its row, and rows from before that column stay whole", () => {
  const old = withEntry(empty, makeEntry({ deliveries: 1_000 })).replace(/ [^|]*\|$/gm, "");
  const later = withEntry(old, makeEntry({ deliveries: 1_000, missed: 3 }));
  expect(later.split("\n").find((line) => line.endsWith("| 3 |"))).toContain("1,000");
  expect(later).toContain("- With real processes: 2,000 deliveries, no harm");
});

test("a page without a ledger is refused", () => {
  expect(() => withEntry("# Page\n", makeEntry({}))).toThrow("has no ledger");
});
