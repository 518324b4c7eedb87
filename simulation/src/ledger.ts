/**
 * The ledger of docs/trust.md: one row for each proof that was run, and what the rows together allow to say.
 *
 * The commands `sim`, `sim:planted`, `powercut`, `chaos`, `soak` and the proofs of outages, nodes and returns append with `--ledger`; a test never does, so that it leaves the
 * tree as it was. Invariant: a row says what was run and what was seen, a harm included; nothing is ever taken out.
 * A row whose measure was found to be wrong stays as it was, gets a {@link disproved} by hand with a sentence that says
 * why, and counts in no bound, its clean trials as little as its harms. The bounds follow the rule of three: N clean trials bound the rate
 * of failure at 3/N with 95 % confidence.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Harm, harms } from "./judge/violation.ts";

/** One run of one command. What a command does not do stays out. */
export interface LedgerEntry extends Readonly<Record<Harm, number>> {
  readonly command: "sim" | "planted" | "powercut" | "chaos" | "soak" | "outage" | "nodes" | "return";
  /** As {@link currentCommit} gives it. */
  readonly commit: string;
  /** First and last seed, or the one seed of a run of real processes. */
  readonly seeds?: string;
  readonly virtualHours?: number;
  /** Events that were delivered and judged, or acknowledged and looked for after a power cut. */
  readonly deliveries?: number;
  /** Faults that took effect. */
  readonly faults?: number;
  /** Planted bugs that were caught, of how many. */
  readonly plantedCaught?: string;
  readonly powerCuts?: number;
  /** Real minutes. */
  readonly minutes?: number;
  /** What the run asked of itself and did not see: an invariant that is no harm, too few faults, no convergence. */
  readonly missed?: number;
}

const repository = fileURLToPath(new URL("../..", import.meta.url));
const page = new URL("../../docs/trust.md", import.meta.url);
const begin = "<!-- ledger: appended by the commands -->";
const end = "<!-- end of the ledger -->";

/** At the end of a row's commit. */
const disproved = "†";

const titles: Readonly<Record<Harm, string>> = {
  lost: "lost",
  repeated: "repeated",
  reordered: "reordered",
  phantom: "phantom",
  silentGaps: "silent gaps",
};

const harmTitles: ReadonlySet<string> = new Set(Object.values(titles));

const columns: readonly { readonly title: string; readonly of: (entry: LedgerEntry) => string }[] = [
  { title: "command", of: ({ command }) => `\`${command}\`` },
  { title: "commit", of: ({ commit }) => `\`${commit}\`` },
  { title: "seeds", of: ({ seeds }) => seeds ?? "" },
  { title: "virtual hours", of: ({ virtualHours }) => figure(virtualHours) },
  { title: "minutes", of: ({ minutes }) => figure(minutes) },
  { title: "deliveries", of: ({ deliveries }) => figure(deliveries) },
  { title: "faults", of: ({ faults }) => figure(faults) },
  { title: "planted bugs caught", of: ({ plantedCaught }) => plantedCaught ?? "" },
  { title: "power cuts", of: ({ powerCuts }) => figure(powerCuts) },
  ...harms.map((harm) => ({ title: titles[harm], of: (entry: LedgerEntry) => figure(entry[harm]) })),
  { title: "missed", of: ({ missed }) => figure(missed) },
];

/** Which proofs share a bound: what was simulated says nothing of real disks. */
const kinds = [
  { name: "In the simulation", commands: ["sim"], trial: "delivery", count: "deliveries" },
  {
    name: "With real processes",
    commands: ["chaos", "soak", "outage", "nodes", "return"],
    trial: "delivery",
    count: "deliveries",
  },
  { name: "With real power cuts", commands: ["powercut"], trial: "power cut", count: "powerCuts" },
] as const;

/** Appends a row to docs/trust.md and computes the bounds anew. */
export function appendLedger(entry: LedgerEntry): void {
  writeFileSync(page, withEntry(readFileSync(page, "utf8"), entry));
}

/** The commit that runs, `+` where the tree differs from it. */
export function currentCommit(): string {
  const git = (...parameters: string[]): string =>
    execFileSync("git", parameters, { cwd: repository, encoding: "utf8" }).trim();
  const isChanged = git("status", "--porcelain", "--untracked-files=no", "--", ":!docs/trust.md") !== "";
  return `${git("rev-parse", "--short", "HEAD")}${isChanged ? "+" : ""}`;
}

/** The page's text with one more row. Throws where the page has no ledger. */
export function withEntry(text: string, entry: LedgerEntry): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/trust.md has no ledger: put "${begin}" and "${end}" into it`);
  const rows = [...rowsOf(text.slice(from, to)), rowOf(entry)];
  const table = [rowText(columns.map(({ title }) => title)), rowText(columns.map(() => "---")), ...rows.map(rowText)];
  return `${text.slice(0, from)}${begin}\n\n${table.join("\n")}\n\n${bounds(rows).join("\n")}\n\n${text.slice(to)}`;
}

function rowOf(entry: LedgerEntry): readonly string[] {
  return columns.map(({ of }) => of(entry));
}

/** The rows below the table's head. */
function rowsOf(ledger: string): readonly (readonly string[])[] {
  const lines = ledger.split("\n").filter((line) => line.startsWith("|"));
  return lines
    .slice(2)
    .map((line) => columns.map((_column, index) => line.split("|").slice(1, -1)[index]?.trim() ?? ""));
}

function bounds(rows: readonly (readonly string[])[]): readonly string[] {
  return kinds.flatMap(({ name, commands, trial, count }) => {
    const those = rows.filter(
      ([of, commit], index) =>
        commands.some((command) => of === `\`${command}\``) &&
        commit?.endsWith(disproved) !== true &&
        !isRunAgain(rows, index),
    );
    const sum = (title: string): number => {
      const column = columns.findIndex((one) => one.title === title);
      return those.reduce((total, row) => total + Number((row[column] ?? "").replaceAll(",", "")), 0);
    };
    const trials = sum(count === "powerCuts" ? "power cuts" : "deliveries");
    const harmed = harms.reduce((total, harm) => total + sum(titles[harm]), 0);
    if (trials === 0) return [];
    const counted = `- ${name}: ${figure(trials)} ${trial === "delivery" ? "deliveries" : "power cuts"}`;
    return harmed === 0
      ? [`${counted}, no harm: less than ${(3 / trials).toExponential(1)} a ${trial}, with 95 % confidence.`]
      : [`${counted}, **${figure(harmed)} harmed**: no bound can be given.`];
  });
}

/** The same seeds are the same worlds, to the byte: of clean runs of them only the newest one is evidence. */
function isRunAgain(rows: readonly (readonly string[])[], index: number): boolean {
  const row = rows[index] ?? [];
  const [command, , seeds] = row;
  const isClean = columns.every(({ title }, column) => !harmTitles.has(title) || row[column] === "0");
  const again = rows.slice(index + 1).some((later) => later[0] === command && later[2] === seeds);
  return command === "`sim`" && isClean && again;
}

function rowText(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** 1234567 → 1,234,567; nothing where there is no figure. */
function figure(value: number | undefined): string {
  return value === undefined ? "" : value.toLocaleString("en", { maximumFractionDigits: 1 });
}
