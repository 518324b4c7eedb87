/** The judge over writing, commands, connections and logs: each invariant, by a good history and by bad ones. */
import { describe, expect, test } from "vitest";
import type { Observation } from "../src/judge/observation.ts";
import { appended, breachOf, judged, log, passes, workspace } from "./support/histories.ts";

const issued = (request: string, after?: string): Observation => ({
  kind: "requestIssued",
  at: 1,
  request,
  client: "c",
  ...(after === undefined ? {} : { after }),
});
const effect = (request: string): Observation => ({ kind: "effectCommitted", at: 2, request });
const answered = (request: string, outcome: "result" | "error" | "unknown" | "withdrawn" = "result"): Observation => ({
  kind: "requestSettled",
  at: 3,
  request,
  outcome,
});

describe("I2: a request's effect happens at most once", () => {
  test("good: answered, refused, unknown with and without effect; effects read from the log first", () => {
    passes([issued("a"), effect("a"), answered("a")]);
    passes([issued("a"), answered("a", "error")]);
    passes([issued("a"), answered("a", "unknown"), effect("a")]);
    passes([issued("a"), answered("a", "unknown")]);
    passes([effect("a"), effect("b"), issued("a"), issued("b", "a"), answered("a"), answered("b")]);
  });
  test("bad: twice, or after it was refused or withdrawn", () => {
    expect(breachOf([issued("a"), effect("a"), effect("a")])).toEqual({ invariant: "I2", harm: "repeated" });
    expect(breachOf([issued("a"), answered("a", "error"), effect("a")])).toEqual({
      invariant: "REL-I7",
      harm: "phantom",
    });
    expect(breachOf([effect("a"), issued("a"), answered("a", "withdrawn")])).toEqual({
      invariant: "REL-I7",
      harm: "phantom",
    });
  });
  test("bad: answered before it was durable, answered twice, asked for by nobody", () => {
    expect(breachOf([issued("a"), answered("a")])).toEqual({ invariant: "I3", harm: "lost" });
    expect(breachOf([issued("a"), effect("a"), answered("a"), answered("a", "unknown")])).toEqual({
      invariant: "I2",
      harm: "repeated",
    });
    expect(breachOf([effect("a")])).toEqual({ invariant: "I2", harm: "phantom" });
    expect(breachOf([effect("a"), answered("a")], { isHealed: false }).invariant).toBe("I2");
    expect(breachOf([answered("a", "error")], { isHealed: false }).invariant).toBe("I2");
    expect(breachOf([issued("a"), issued("a")], { isHealed: false }).invariant).toBe("I2");
  });
  test("bad: it overtakes the one that it must follow, or goes on without it (RQ-4)", () => {
    expect(breachOf([issued("a"), issued("b", "a"), effect("b")])).toEqual({ invariant: "I2", harm: "reordered" });
    expect(breachOf([effect("b"), effect("a"), issued("a"), issued("b", "a")])).toEqual({
      invariant: "I2",
      harm: "reordered",
    });
  });
  test("I10: bad: forgotten when its connection was lost, while a later one is answered (RQ-3)", () => {
    const lost: readonly Observation[] = [welcomed(0), issued("a"), closed(2, "network"), attempted(5), welcomed(6)];
    const later = [{ ...issued("b"), at: 7 }, effect("b"), { ...answered("b"), at: 8 }];
    const unknown = (at: number): Observation => ({ ...answered("a", "unknown"), at, isUnheard: true }) as Observation;
    expect(breachOf([...lost, ...later, unknown(30_000)])).toEqual({ invariant: "I10", harm: "lost" });
    passes([...lost, ...later, unknown(10_000)]);
    passes([...lost, unknown(30_000)]);
    passes([...lost, ...later, { ...answered("a", "unknown"), at: 30_000 }]);
  });
  test("I10: bad: never answered", () => {
    expect(breachOf([issued("a")])).toEqual({ invariant: "I10", harm: "lost" });
    passes([issued("a"), { kind: "clientEnded", at: 4, client: "c" }]);
  });
});

const produced = (sequence: number, producer = "p"): Observation => ({
  kind: "produced",
  at: 1,
  producer,
  workspace,
  stream: log,
  sequence,
  content: `<${producer}${sequence}>`,
});
const logged = (offset: number, sequence: number, producer = "p"): Observation => ({
  kind: "committed",
  at: 2,
  workspace,
  stream: log,
  epoch: "e1",
  offset,
  content: `<${producer}${sequence}>`,
  origin: { producer, sequence },
});
const decided = (sequence: number, outcome: "durable" | "rejected" = "durable", producer = "p"): Observation => ({
  kind: "publishSettled",
  at: 3,
  producer,
  sequence,
  outcome,
});

describe("I3: what was acknowledged to its producer is in the log, once", () => {
  test("good: durable, rejected, and unknown of one that ended", () => {
    passes([produced(1), produced(2), logged(1, 1), decided(1), decided(2, "rejected"), produced(3), logged(2, 3)]);
    passes([produced(1), { kind: "producerEnded", at: 3, producer: "p" }]);
    passes([logged(1, 1), logged(2, 2), produced(1), produced(2), decided(1), decided(2)]);
  });
  test("bad: acknowledged and not there", () => {
    expect(breachOf([produced(1), decided(1)])).toEqual({ invariant: "I3", harm: "lost" });
  });
  test("bad: twice, out of order, rejected and there, never produced, changed", () => {
    expect(breachOf([produced(1), logged(1, 1), logged(2, 1)])).toEqual({ invariant: "REL-I6", harm: "repeated" });
    expect(breachOf([produced(1), produced(2), logged(1, 2), logged(2, 1)])).toEqual({
      invariant: "REL-I6",
      harm: "reordered",
    });
    expect(breachOf([produced(1), logged(1, 1), decided(1, "rejected")])).toEqual({
      invariant: "REL-I7",
      harm: "phantom",
    });
    expect(breachOf([produced(1), decided(1, "rejected"), logged(1, 1)])).toEqual({
      invariant: "REL-I7",
      harm: "phantom",
    });
    expect(breachOf([logged(1, 1)])).toEqual({ invariant: "I3", harm: "phantom" });
    expect(breachOf([decided(1, "rejected")]).invariant).toBe("I3");
    expect(breachOf([produced(2)], { isHealed: false }).invariant).toBe("I3");
    expect(breachOf([produced(1), { ...logged(1, 1), content: "<p9>" } as Observation])).toEqual({
      invariant: "I3",
      harm: "phantom",
    });
  });
  test("bad: a hole in what a producer said, and what is still not decided", () => {
    expect(breachOf([produced(1), produced(2), logged(1, 2)])).toEqual({ invariant: "I3", harm: "lost" });
    expect(breachOf([produced(1)])).toEqual({ invariant: "I10", harm: "lost" });
  });
  test("REL-I8: bad: what was produced after an acknowledgement stands before it", () => {
    const two = [logged(1, 1, "q"), logged(2, 1)];
    passes([...two, produced(1, "q"), decided(1, "durable", "q"), produced(1), decided(1)]);
    expect(breachOf([...two, produced(1), decided(1), produced(1, "q")])).toEqual({
      invariant: "REL-I8",
      harm: "reordered",
    });
  });
});

const accepted: Observation = { kind: "commandAccepted", at: 1, command: "k", client: "c" };
const claimed: Observation = { kind: "commandClaimed", at: 2, command: "k" };
const began: Observation = { kind: "commandEffect", at: 3, command: "k" };
const finished = (outcome = "completed"): Observation => ({ kind: "commandFinished", at: 4, command: "k", outcome });
const told = (outcome = "completed"): Observation => ({
  kind: "personTold",
  at: 5,
  command: "k",
  client: "c",
  outcome,
});

describe("I8: every command ends once, and its sender is told", () => {
  test("good", () => {
    passes([accepted, claimed, began, finished(), told()]);
    passes([accepted, finished("expired"), told("expired")]);
    passes([claimed, finished("lost"), accepted, told("lost")]);
  });
  test("bad: no end, two ends, nobody told, told twice, told otherwise", () => {
    expect(breachOf([accepted, claimed, began])).toEqual({ invariant: "I8", harm: "lost" });
    expect(breachOf([accepted, finished(), finished("lost")])).toEqual({ invariant: "I8", harm: "repeated" });
    expect(breachOf([accepted, claimed, began, finished()])).toEqual({ invariant: "I8", harm: "lost" });
    expect(breachOf([accepted, finished(), told(), told()])).toEqual({ invariant: "I8", harm: "repeated" });
    expect(breachOf([accepted, finished("lost"), told()])).toEqual({ invariant: "I8", harm: "phantom" });
  });
  test("REL-I19, PB-5: bad: effects before the claim, or twice; a claim of what has ended", () => {
    expect(breachOf([accepted, began])).toEqual({ invariant: "REL-I19", harm: "phantom" });
    expect(breachOf([accepted, claimed, began, began])).toEqual({ invariant: "REL-I19", harm: "repeated" });
    expect(breachOf([accepted, claimed, claimed])).toEqual({ invariant: "I8", harm: "repeated" });
    expect(breachOf([accepted, finished("expired"), claimed], { isHealed: false }).invariant).toBe("I8");
  });
});

test("REL-I10: nothing of a fenced generation becomes durable", () => {
  const granted = (generation: number): Observation => ({ kind: "generationGranted", at: 1, agent: "a", generation });
  const published = (offset: number, generation: number, sequence = 1): Observation => ({
    kind: "committed",
    at: 2,
    workspace,
    stream: log,
    epoch: "e1",
    offset,
    content: "",
    origin: { producer: `p${generation}`, sequence, agent: "a", generation },
  });
  const judge = { isHealed: false, counting: true };
  expect(breachOf([granted(1), published(1, 1), granted(2), published(2, 1, 2)], judge).invariant).toBe("REL-I10");
  expect(breachOf([granted(2), granted(1)], judge).invariant).toBe("REL-I10");
  const own = { kind: "produced", at: 0, workspace, stream: log, sequence: 1, content: "" } as const;
  passes([
    { ...own, producer: "p1" },
    { ...own, producer: "p2" },
    granted(1),
    published(1, 1),
    granted(2),
    published(2, 2),
  ]);
});

const attempted = (at: number): Observation => ({ kind: "attempted", at, client: "c" });
const closed = (at: number, cause?: "network"): Observation => ({
  kind: "closed",
  at,
  client: "c",
  code: 1006,
  ...(cause === undefined ? {} : { cause }),
});
const welcomed = (at: number): Observation => ({ kind: "welcomed", at, client: "c" });
/** From `at` on a connection that is good until `ms` later. */
const goodFor = (ms: number, at: number): readonly Observation[] => [
  attempted(at),
  welcomed(at + 1),
  { kind: "settled", at: at + 2, client: "c" },
  closed(at + ms, "network"),
];

describe("I4: one owned socket, and attempts that are apart", () => {
  test("bad: two sockets, two attempts within a second", () => {
    expect(breachOf([{ kind: "socketsOwned", at: 1, client: "c", count: 2 }]).invariant).toBe("I4");
    expect(breachOf([attempted(0), closed(10), attempted(500)]).invariant).toBe("I4");
    passes([attempted(0), closed(10), { ...attempted(500), because: "person" } as Observation]);
    passes([attempted(0), closed(10), attempted(1_000)]);
  });
  test("bad: a storm: failures in a row that do not slow down, also where each is welcomed", () => {
    const storm = (apartMs: number): readonly Observation[] =>
      Array.from({ length: 8 }, (_, index) => [
        attempted(index * apartMs),
        welcomed(index * apartMs + 1),
        closed(index * apartMs + 2, "network"),
      ]).flat();
    expect(breachOf(storm(2_000)).invariant).toBe("I4");
    passes(storm(15_003));
  });
  test("good: an end after which nobody comes back by himself is none of a row (CL-2)", () => {
    const row = (code: number): readonly Observation[] =>
      Array.from({ length: 6 }, (_, index) => [
        attempted(index * 2_000),
        { ...closed(index * 2_000 + 2, "network"), ...(index === 4 ? { code } : {}) } as Observation,
      ]).flat();
    const then = [{ ...attempted(12_000) }];
    passes([...row(4403), ...then]);
    expect(breachOf([...row(1006), ...then]).invariant).toBe("I4");
  });
  test("good: a connection that was good for 10 s begins the row anew", () => {
    passes(Array.from({ length: 20 }, (_, index) => goodFor(10_003 + 10 * index, index * 10_500)).flat());
  });
  test("bad: before the time that was told, whatever but a person may ask for it (CL-4)", () => {
    const told = { ...attempted(2_000), because: "online", notBefore: 5_000 } as Observation;
    expect(breachOf([attempted(0), closed(10), told]).invariant).toBe("I4");
    passes([attempted(0), closed(10), { ...told, at: 5_000 }]);
    passes([attempted(0), closed(10), { ...told, because: "person" } as Observation]);
  });
  test("bad: refused credentials in a row that come too soon, or without end (CL-2)", () => {
    const refusals = (apartMs: number, count: number): readonly Observation[] =>
      Array.from({ length: count }, (_, index) => {
        const at = Math.max(0, index - 1) * apartMs + Math.min(index, 1) * 1_000;
        return [
          { ...attempted(at), because: "credential" } as Observation,
          { ...closed(at + 2), code: 4401, cause: "authority" } as Observation,
        ];
      }).flat();
    passes(refusals(5_010, 5));
    expect(breachOf(refusals(3_000, 3)).invariant).toBe("I4");
    expect(breachOf(refusals(40_000, 6)).invariant).toBe("I4");
  });
  test("bad: everybody comes back after the same time (F16)", () => {
    const alike = Array.from({ length: 6 }, (_, index) => goodFor(20_000, index * 21_000)).flat();
    expect(breachOf(alike).invariant).toBe("I4");
    const asked = alike.map((one) => (one.kind === "attempted" ? { ...one, because: "told" as const } : one));
    passes(asked);
  });
});

describe("I5: a dependency that fails closes nothing and changes no status", () => {
  const sick: Observation = { kind: "dependency", at: 2, name: "store", isHealthy: false };
  const status = (at: number, value: "online" | "reconnecting"): Observation => ({
    kind: "agentStatus",
    at,
    agent: "a",
    client: "c",
    status: value,
  });
  test("bad: a welcomed connection ends without a cause", () => {
    expect(breachOf([attempted(0), welcomed(1), sick, closed(3)]).invariant).toBe("I5");
    passes([attempted(0), welcomed(1), sick, closed(3, "network")]);
    passes([attempted(0), sick, closed(3)]);
  });
  test("bad: an agent that is connected becomes `reconnecting`", () => {
    expect(breachOf([attempted(0), welcomed(1), status(2, "online"), sick, status(3, "reconnecting")]).invariant).toBe(
      "I5",
    );
    passes([attempted(0), welcomed(1), status(2, "online"), closed(3, "network"), status(4, "reconnecting")]);
  });
});

test("I6: bad: a measure over its bound", () => {
  passes([{ kind: "measured", at: 1, what: "queue", value: 10, max: 10 }]);
  expect(breachOf([{ kind: "measured", at: 1, what: "queue", value: 11, max: 10 }]).invariant).toBe("I6");
});

const line = (fields: Readonly<Record<string, unknown>>, at = 1): Observation => ({
  kind: "logged",
  at,
  node: "n",
  level: "error",
  event: "store.failed",
  fields,
});
const sound = { error: { name: "Error", message: "disk full", code: "ENOSPC" } };

describe("I9: a log that says what happened, once", () => {
  test("good: ten lines of one problem a minute", () => {
    passes(Array.from({ length: 100 }, (_, index) => line(sound, index * 6_000)));
  });
  test("bad: an eleventh, an error that is `{}`, one without name, and one without an error", () => {
    expect(breachOf(Array.from({ length: 11 }, (_, index) => line(sound, index))).invariant).toBe("I9");
    expect(breachOf([line({ error: {} })]).invariant).toBe("I9");
    expect(breachOf([line({ ...sound, cause: {} })]).invariant).toBe("I9");
    const various = Array.from({ length: 51 }, (_, index) =>
      line({ error: { name: `E${index}`, message: "x", code: 1 } }),
    );
    expect(breachOf(various).invariant).toBe("I9");
    passes(various.slice(1));
    expect(breachOf([line({ error: { message: "x", code: 1 } })]).invariant).toBe("I9");
    expect(breachOf([line({ error: { name: "Error", message: "x" } })]).invariant).toBe("I9");
    expect(breachOf([line({})]).invariant).toBe("I9");
  });
  test("REL-I17: bad: a secret", () => {
    const judge = { canaries: ["s3cret"] };
    passes([line(sound)], { judge });
    expect(breachOf([line({ ...sound, token: "bearer s3cret" })], { judge }).invariant).toBe("REL-I17");
  });
});

test("REL-I16: bad: an uncaught error", () => {
  expect(breachOf([{ kind: "uncaught", at: 1, where: "server", error: "boom" }]).invariant).toBe("REL-I16");
});

test("the report counts what was judged", () => {
  const report = judged([...appended(1, 3), issued("a"), effect("a"), answered("a")]);
  expect(report).toMatchObject({ observations: 6, committed: 3, deliveries: 0, requests: 1, violations: [] });
});
