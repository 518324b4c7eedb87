/** A log that grows with distinct problems, not with clients (I9, AD-4). */
import { describe, expect, it } from "vitest";
import { createFoldedLog } from "../../src/observe/foldedLog.ts";
import type { Log } from "../../src/observe/log.ts";
import { createSimClock } from "../support/simClock.ts";

function world(isTold: (error: unknown) => boolean = () => false) {
  const lines: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const write =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void lines.push({ level, event, fields });
  const log: Log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const clock = createSimClock();
  return { lines, clock, folded: createFoldedLog({ log, clock, infoLinesMax: 3, isTold }) };
}

describe("a folded log", () => {
  it("[AD-4] writes a problem at once, then its number once a minute, with the newest error", async () => {
    const { lines, clock, folded } = world();
    for (let second = 0; second < 600; second += 1) {
      folded.error("operation.failed", {
        ref: `r${second}`,
        operation: "request a",
        error: new Error(`no row ${second}`),
      });
      await clock.advance(1_000);
    }
    // Ten minutes: each has its first line and its number.
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines[0]?.fields).toMatchObject({ ref: "r0" });
    expect(lines[1]?.fields).toMatchObject({ ref: "r59", repeated: 59, withinMs: 60_000 });
    const counted = lines.reduce((sum, { fields }) => sum + ((fields["repeated"] as number | undefined) ?? 1), 0);
    folded.stop();
    expect(counted + ((lines.at(-1)?.fields["repeated"] as number | undefined) ?? 0)).toBeGreaterThanOrEqual(600);
    expect(clock.timers).toBe(0);
  });

  it("[AD-4] keeps apart what differs in operation, error or level, not in ids and numbers", () => {
    const { lines, folded } = world();
    const id = "0190a0a0-0000-7000-8000-00000000000";
    folded.error("operation.failed", { operation: "a", error: new Error(`row ${id}1 of 7`) });
    folded.error("operation.failed", { operation: "a", error: new Error(`row ${id}2 of 8`) });
    folded.error("operation.failed", { operation: "b", error: new Error(`row ${id}1 of 7`) });
    folded.error("operation.failed", { operation: "a", error: new TypeError(`row ${id}1 of 7`) });
    folded.warn("operation.failed", { operation: "a", error: new Error(`row ${id}1 of 7`) });
    folded.error("operation.failed", { operation: "a", error: "a text was thrown" });
    expect(lines).toHaveLength(5);
  });

  it("[I9] keeps apart the outages of different providers, which fail in the same words", () => {
    const { lines, folded } = world();
    const error = new Error("it did not answer within 3000 ms");
    for (const issuer of ["https://a.example", "https://b.example"])
      for (const document of ["key set", "discovery"]) folded.warn("auth.provider_away", { issuer, document, error });
    folded.warn("auth.client_refused", { provider: "one", meaning: "…" });
    folded.warn("auth.client_refused", { provider: "two", meaning: "…" });
    expect(lines).toHaveLength(6);
  });

  it("[ST-8] takes one table that the database does not give for one problem, whatever operations meet it", () => {
    const { lines, folded } = world();
    const refused = Object.assign(new Error("permission denied for table agents"), { code: "42501" });
    const other = Object.assign(new Error("permission denied for table threads"), { code: "42501" });
    folded.error("operation.failed", { operation: "publish thread/1", error: refused });
    folded.error("operation.failed", { operation: "task control.beat", error: refused });
    folded.error("operation.failed", { operation: "task control.beat", error: other });
    // A code of the operating system is no SQLSTATE.
    const broken = Object.assign(new Error("broken pipe"), { code: "EPIPE" });
    folded.error("operation.failed", { operation: "a", error: broken });
    folded.error("operation.failed", { operation: "b", error: broken });
    expect(lines.map(({ fields }) => fields["operation"])).toEqual(["publish thread/1", "task control.beat", "a", "b"]);
  });

  it("[AD-4] is silent about what somebody else tells", () => {
    const outage = new Error("told already");
    const { lines, folded } = world((error) => error === outage);
    folded.error("a", { error: outage });
    folded.warn("b", { error: outage });
    folded.error("c", { error: new Error("another") });
    expect(lines.map(({ event }) => event)).toEqual(["c"]);
  });

  it("[AD-4] writes some lines of an event at info, then how many there were; debug is never folded", async () => {
    const { lines, clock, folded } = world();
    for (let opened = 0; opened < 10_000; opened += 1) folded.info("connection.opened", { opened });
    folded.info("another");
    for (let line = 0; line < 5; line += 1) folded.debug("d");
    expect(lines).toHaveLength(3 + 1 + 5);
    await clock.advance(60_000);
    expect(lines.at(-1)).toMatchObject({
      level: "info",
      event: "log.folded",
      fields: { of: "connection.opened", lines: 9_997 },
    });
    // A quiet log has no timer, and the next minute has its own lines.
    expect(clock.timers).toBe(0);
    folded.info("connection.opened", { opened: "again" });
    expect(lines.at(-1)?.fields).toMatchObject({ opened: "again" });
  });

  it("[AD-4] is bounded however many distinct problems there are", () => {
    const { lines, folded } = world();
    const word = (n: number): string => [...n.toString()].map((digit) => "abcdefghij"[Number(digit)]).join("");
    for (let problem = 0; problem < 5_000; problem += 1) folded.error("e", { error: new Error(word(problem)) });
    expect(lines.length).toBeLessThanOrEqual(1_001);
    folded.stop();
    expect(lines.at(-1)?.fields["repeated"]).toBe(5_000 - lines.length + 1);
  });
});
