/** What a run of outages is held to: a report that keeps every promise has no shortfall, and each broken one has its own. */
import { describe, expect, it } from "vitest";
import type { FaultReport, OutageReport } from "../src/processes/outage.ts";
import type { LogLine } from "../src/processes/outageField.ts";
import { describeOutage, shortfallsOfOutage } from "../src/processes/outageReport.ts";

const error = { name: "Error", message: "read ECONNRESET", code: "ECONNRESET" };
const toldFields = { store: "postgres", host: "db", port: 5_432, since: 1, waiting: 0, error };
const line = (event: string, fields: LogLine["fields"]): LogLine => ({ at: 1, level: "error", event, fields });
const told = line("store.unavailable", toldFields);
const ended = line("store.available", { forMs: 60_000, probes: 12 });
const fault: FaultReport = {
  kind: "cut",
  ms: 60_000,
  latencyMs: 0,
  effect: 20,
  lines: [told, ended],
  degraded: 300,
  liveMs: 900,
};
const report: OutageReport = {
  clients: 300,
  agents: 10,
  seconds: 300,
  faults: [fault],
  closings: 0,
  agentsOffline: 0,
  linesPerMinuteMax: 9,
  committed: 10_000,
  deliveries: 300_000,
  wrongReaders: [],
  unsettled: undefined,
  judged: { violations: [], deliveries: 1_000 } as unknown as OutageReport["judged"],
};
const withFault = (changed: Partial<FaultReport>): OutageReport => ({ ...report, faults: [{ ...fault, ...changed }] });
const withLines = (...lines: readonly LogLine[]): OutageReport => withFault({ lines });

describe("a report of outages", () => {
  it("[AD-2][AD-4][I5] has no shortfall where every promise was kept", () => {
    expect(shortfallsOfOutage(report)).toEqual([]);
    expect(describeOutage(report).join("\n")).toContain("12 probes in 60.0 s; 300 clients showed it; all live 0.9 s");
  });

  it.each<[string, OutageReport, RegExp]>([
    ["a closed connection", { ...report, closings: 1 }, /1 connections were closed/],
    ["an agent offline", { ...report, agentsOffline: 2 }, /2 times an agent went offline/],
    ["a flood of lines", { ...report, linesPerMinuteMax: 11 }, /11 log lines within a minute/],
    ["a wrong reader", { ...report, wrongReaders: ["x"] }, /1 readers did not apply/],
    ["an end that did not come", { ...report, unsettled: "sender1 waits" }, /at the end sender1 waits/],
    ["a fault without effect", withFault({ effect: 0 }), /cut: it took no effect/],
    ["a late return", withFault({ liveMs: 10_001 }), /all live 10.0 s after/],
    ["no return", withFault({ liveMs: undefined }), /all live never/],
    ["an outage without a line", withLines(ended), /cut: no line tells of it/],
    [
      "a line without its host and its error",
      withLines(line("store.unavailable", { ...toldFields, host: "", error: {} }), ended),
      /does not name host, error.name, error.message/,
    ],
    [
      "too many probes",
      withLines(told, line("store.available", { forMs: 60_000, probes: 60 })),
      /cut: 60 probes in 60.0 s/,
    ],
    ["too few probes", withLines(told, line("store.available", { forMs: 60_000, probes: 3 })), /cut: 3 probes/],
  ])("[AD-2][AD-4][I5] names %s", (_what, wrong, sentence) => {
    expect(shortfallsOfOutage(wrong).join("\n")).toMatch(sentence);
  });
});
