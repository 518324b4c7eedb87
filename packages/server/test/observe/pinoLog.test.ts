/** The log as an operator reads it: what was caught, what is masked, what a hostile text can do. */
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toError } from "../../src/observe/errorRecord.ts";
import { createLog, type LogLevel } from "../../src/observe/pinoLog.ts";

type Record_ = Record<string, unknown> & { error?: Record<string, unknown> };

function makeLog(level: LogLevel = "debug") {
  const lines: string[] = [];
  const log = createLog({ level, stream: { write: (text) => void lines.push(text) } });
  return { log, lines, records: () => lines.map((line) => JSON.parse(line) as Record_) };
}

function logged(error: unknown): Record<string, unknown> {
  const { log, records } = makeLog();
  log.error("test.failed", { error });
  return records()[0]?.error ?? {};
}

describe("createLog", () => {
  it("writes level, time, event and fields, one line a record", () => {
    const { log, lines, records } = makeLog();
    log.info("connection.opened", { connection: "c1", event: "mine", level: 7 });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith("\n")).toBe(true);
    expect(records()[0]).toMatchObject({
      level: "info",
      event: "connection.opened",
      connection: "c1",
      event_: "mine",
      level_: 7,
    });
    expect(records()[0]?.["time"]).toBeTypeOf("number");
  });

  it("writes nothing below its level", () => {
    const { log, records } = makeLog("warn");
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(records().map((record) => record["event"])).toEqual(["c", "d"]);
  });

  it("writes more or less of one room, or of all others, while it runs", () => {
    const { log, records } = makeLog("info");
    log.levels?.set("store", "debug");
    log.levels?.set("*", "warn");
    for (const event of ["store.a", "bus.b"]) {
      log.debug(event);
      log.info(event);
      log.warn(event);
    }
    log.info("log.level_changed");
    log.levels?.set("*", undefined);
    log.info("bus.c");
    log.debug("bus.d");
    expect(records().map(({ level, event }) => `${level} ${event}`)).toEqual([
      "debug store.a",
      "info store.a",
      "warn store.a",
      "warn bus.b",
      "info log.level_changed",
      "info bus.c",
    ]);
  });

  it("survives a field that throws when read, and one that holds itself", () => {
    const { log, records } = makeLog();
    const circular: Record<string, unknown> = { name: "loop" };
    circular["self"] = circular;
    const hostile = Object.defineProperty({}, "trap", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    log.info("odd", {
      circular,
      hostile,
      toJSON: () => {
        throw new Error("never called");
      },
    });
    expect(records()[0]).toMatchObject({ circular: { self: "[circular]" }, hostile: { trap: "[unreadable]" } });
  });

  it("bounds a line whatever the fields hold", () => {
    const { log, lines } = makeLog();
    let deep: unknown = "bottom";
    for (let level = 0; level < 1_000; level += 1) deep = { deep };
    log.info("huge", { text: "x".repeat(10_000_000), list: Array.from({ length: 100_000 }, (_, n) => n), deep });
    expect(lines[0]?.length).toBeLessThan(20_000);
  });
});

describe("[F03] whatever is caught becomes an error with name, message and stack or cause", () => {
  const nested = new Error("outer", { cause: new TypeError("middle", { cause: "inner text" }) });
  const database = Object.assign(new Error("disk I/O error"), {
    code: "ERR_SQLITE_ERROR",
    errcode: 10,
    errstr: "IOERR",
  });
  const table: [string, unknown, Record<string, unknown>][] = [
    ["a string", "plain text", { name: "ThrownValue", message: "plain text" }],
    ["an empty string", "", { name: "ThrownValue", message: "an empty string was thrown" }],
    ["undefined", undefined, { name: "ThrownValue", message: "undefined was thrown" }],
    ["null", null, { name: "ThrownValue", message: "null was thrown" }],
    ["a number", 42, { name: "ThrownValue", message: "42 was thrown" }],
    ["a symbol", Symbol("s"), { name: "ThrownValue", message: "Symbol(s) was thrown" }],
    ["a plain object", { status: 503, busy: true }, { message: 'an object was thrown: {"status":503,"busy":true}' }],
    [
      "an object like an error",
      { code: "not_found", message: "no such thread" },
      { code: "not_found", message: "no such thread" },
    ],
    ["an empty object", {}, { message: "an object without readable fields was thrown: [object Object]" }],
    [
      "nested causes",
      nested,
      { message: "outer", cause: { name: "TypeError", message: "middle", cause: { message: "inner text" } } },
    ],
    ["a database's error", database, { code: "ERR_SQLITE_ERROR", fields: { errcode: 10, errstr: "IOERR" } }],
    [
      "an error of another realm",
      runInNewContext('new RangeError("far away")'),
      { name: "RangeError", message: "far away" },
    ],
    [
      "an aggregate",
      new AggregateError([new Error("one"), "two"], "both"),
      { errors: [{ message: "one" }, { message: "two" }] },
    ],
  ];

  it.each(table)("%s", (_title, thrown, expected) => {
    const record = logged(thrown);
    expect(record).toMatchObject(expected);
    expect(record["name"]).toBeTruthy();
    expect(record["message"]).toBeTruthy();
    expect(record["stack"] ?? record["cause"]).toBeTruthy();
    expect(JSON.stringify(record)).not.toContain("{}");
  });

  it("leaves a real error as it is", () => {
    const error = new Error("real");
    expect(toError(error)).toBe(error);
  });

  it("survives an error that is its own cause, and one a thousand deep", () => {
    const own: Error & { cause?: unknown } = new Error("own");
    own.cause = own;
    expect(logged(own)).toMatchObject({ cause: { name: "Circular" } });
    let deep: Error = new Error("bottom");
    for (let level = 0; level < 1_000; level += 1) deep = new Error(`level ${level}`, { cause: deep });
    expect(JSON.stringify(logged(deep)).length).toBeLessThan(100_000);
  });

  it("records an error under any field", () => {
    const { log, records } = makeLog();
    log.warn("job.failed", { attempts: [{ reason: new Error("first") }] });
    expect(records()[0]).toMatchObject({ attempts: [{ reason: { name: "Error", message: "first" } }] });
  });
});

/** Whether `{}` stands anywhere in it. */
function hasEmptyObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const below = Object.values(value);
  return (below.length === 0 && !Array.isArray(value)) || below.some(hasEmptyObject);
}

describe("[F03][I9] no record has {}", () => {
  it("whatever the fields hold", () => {
    const { log, records, lines } = makeLog();
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.anything({ withMap: true, withSet: true, withDate: true })),
        (fields) => {
          lines.length = 0;
          log.info("any.thing", { error: {}, ...fields });
          return lines.length === 1 && !hasEmptyObject(records()[0]);
        },
      ),
    );
  });

  it("leaves out what has no fields, and names the class of what shows none", () => {
    const { log, records } = makeLog();
    log.info("odd", { errors: {}, promise: Promise.resolve(), request: new Request("http://x.example"), list: [{}] });
    const [{ level: _, time: __, ...shown } = {}] = records();
    expect(shown).toEqual({ event: "odd", promise: "[Promise]", request: "[Request]", list: ["[no fields]"] });
  });
});

describe("[L1] a text cannot forge a line or reach the terminal", () => {
  const hostile = 'evil\n{"level":"fatal"}\r\u001b[2J\u009b31m\u202Etxt\u2028';

  it("in fields, names and errors", () => {
    const { log, lines, records } = makeLog();
    log.error("test.failed", {
      name: hostile,
      [hostile]: 1,
      error: new Error(`${hostile}\n    at forged (file.js:1:1)`),
    });
    expect(lines.join("").split("\n")).toHaveLength(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the very characters that must not be there
    expect(lines[0]?.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
    expect(records()[0]?.["name"]).toContain("\\u{1b}[2J");
    expect(String(records()[0]?.error?.["stack"])).not.toContain("forged");
  });

  it("in a stack that tells another message than the error does by now", () => {
    const error = new Error(`first\n{"level":"fatal"}`);
    // A stack is written when it is first read.
    expect(error.stack).toContain("fatal");
    error.message = "second";
    const stack = String(logged(error)["stack"]);
    expect(stack).not.toContain("fatal");
    expect(stack).toMatch(/^\s+at /);
  });
});

describe("[L2] credentials are masked by the name of their field and by their shape", () => {
  const canary = "CANARY-7f3a";

  it.each([
    "authorization",
    "Authorization",
    "cookie",
    "set-cookie",
    "sec-websocket-protocol",
    "token",
    "accessToken",
    "key",
    "operatorKey",
    "api_key",
    "code",
    "signInCode",
    "password",
  ])("%s", (name) => {
    const { log, lines } = makeLog();
    log.info("request", {
      [name]: canary,
      headers: { [name]: canary },
      list: [{ [name]: [canary] }],
      error: Object.assign(new Error("x"), { [name]: name === "code" ? "E_CODE" : canary }),
    });
    expect(lines[0]).not.toContain(canary);
    expect(lines[0]).toContain("[masked]");
  });

  it("leaves what only sounds like one: a close code, an exit code, a key's id", () => {
    const { log, records } = makeLog();
    log.info("closed", { code: 4401, exitCode: 0, keyId: "k1" });
    expect(records()[0]).toMatchObject({ code: 4401, exitCode: 0, keyId: "k1" });
  });

  it.each(["hfk_abc.def-ghi", "bearer.CANARY", "Bearer CANARY.x.y", "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1In0.c2ln"])(
    "%s in a text",
    (secret) => {
      const { log, lines } = makeLog();
      log.error("refused", { reason: `the token ${secret} is no good`, error: new Error(`bad ${secret}`) });
      expect(lines[0]).not.toContain(secret);
    },
  );
});
