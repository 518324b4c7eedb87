/** Parts of the PostgreSQL store that need no PostgreSQL: batches that are run again, reads that are shared out, errors that are read. */
import { ProtocolError } from "@holdfast/protocol";
import pg from "pg";
import { describe, expect, it } from "vitest";
import type { BatchResult, Operation, Outcome, StreamPosition } from "../../src/store/port.ts";
import { postgresAddress } from "../../src/store/postgres/address.ts";
import { commitBatch } from "../../src/store/postgres/batches.ts";
import { ConnectionLost, TransactionAborted, troubleOf } from "../../src/store/postgres/errors.ts";
import { type Reading, shareReaders, waitingReadsMax } from "../../src/store/postgres/readers.ts";
import { startError } from "../../src/store/postgres/startError.ts";
import { createSimClock } from "../support/simClock.ts";

function sqlError(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(`error ${code}`, 0, "error"), { code });
}

describe("errors of PostgreSQL", () => {
  it.each([
    [sqlError("40P01"), "aborted"],
    [sqlError("40001"), "aborted"],
    [new TransactionAborted("undone"), "aborted"],
    [sqlError("08006"), "unavailable"],
    [sqlError("53300"), "unavailable"],
    [sqlError("57014"), "unavailable"],
    [sqlError("57P01"), "unavailable"],
    [sqlError("55P03"), "unavailable"],
    [sqlError("25006"), "unavailable"],
    [new ConnectionLost("lost"), "unavailable"],
    [Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" }), "unavailable"],
    [sqlError("22021"), "statement"],
    [sqlError("23505"), "statement"],
    [sqlError("42501"), "statement"],
    [new TypeError("a handler's own"), "statement"],
    [new ProtocolError("conflict", "a handler's own"), "statement"],
    ["a text", "statement"],
  ] as const)("[AD-2] %s is %s", (error, trouble) => {
    expect(troubleOf(error)).toBe(trouble);
  });
});

const task = (name: string): Operation => ({ kind: "task", workspace: "default", task: name, input: null });
const nameOf = (operation: Operation): string => (operation.kind === "task" ? operation.task : operation.kind);
const codeOf = (outcome: Outcome): string => (outcome.ok ? "ok" : outcome.error.code);

/** An engine that fails as the script says for each call, and keeps what it was called with. */
function scripted(script: (calls: readonly string[][], batch: readonly Operation[]) => unknown) {
  const calls: string[][] = [];
  const commit = async (batch: readonly Operation[]): Promise<BatchResult> => {
    calls.push(batch.map(nameOf));
    const failure = script(calls, batch);
    if (failure !== undefined) throw failure;
    return { outcomes: batch.map((one) => ({ ok: true, value: nameOf(one) })), appended: [], faults: [] };
  };
  return {
    calls,
    run: (...names: string[]) => commitBatch({ engine: { commit }, newRef: () => "ref" }, names.map(task)),
  };
}

describe("a batch that the database undid", () => {
  it("runs again whole, and is answered as if nothing had been", async () => {
    const { calls, run } = scripted((all) => (all.length < 3 ? sqlError("40P01") : undefined));
    expect((await run("a", "b")).outcomes.map(codeOf)).toEqual(["ok", "ok"]);
    expect(calls).toEqual([
      ["a", "b"],
      ["a", "b"],
      ["a", "b"],
    ]);
  });

  it("[F72] is then run one by one: what cannot pass costs the others nothing", async () => {
    const { calls, run } = scripted((_all, batch) =>
      batch.some((one) => nameOf(one) === "b") ? sqlError("40001") : undefined,
    );
    const { outcomes, faults } = await run("a", "b", "c");
    expect(outcomes.map(codeOf)).toEqual(["ok", "store_unavailable", "ok"]);
    // I9: what is refused again and again is never refused in silence.
    expect(faults).toMatchObject([{ operation: "task", error: { code: "40001" } }]);
    expect(calls).toEqual([["a", "b", "c"], ["a", "b", "c"], ["a", "b", "c"], ["a"], ["b"], ["c"]]);
  });

  it("[F72] one by one at once where a statement is wrong: it will be so again", async () => {
    const { calls, run } = scripted((_all, batch) =>
      batch.some((one) => nameOf(one) === "b") ? sqlError("22021") : undefined,
    );
    const { outcomes, faults } = await run("a", "b");
    expect(outcomes.map(codeOf)).toEqual(["ok", "internal"]);
    expect(faults).toMatchObject([{ ref: "ref", operation: "task", error: { code: "22021" } }]);
    expect(calls).toEqual([["a", "b"], ["a"], ["b"]]);
  });

  it("[AD-2] a database that does not answer is not asked twice; what was done by then is told", async () => {
    const down = scripted(() => new ConnectionLost("lost"));
    await expect(down.run("a", "b")).rejects.toThrow(ConnectionLost);
    expect(down.calls).toHaveLength(1);
    const goesDown = scripted((all) =>
      all.length < 2 ? sqlError("22021") : all.length > 2 ? new ConnectionLost("lost") : undefined,
    );
    expect((await goesDown.run("a", "b", "c")).outcomes.map(codeOf)).toEqual([
      "ok",
      "store_unavailable",
      "store_unavailable",
    ]);
  });
});

describe("reads that share connections", () => {
  const position = (head: number): StreamPosition => ({ epoch: "e", head, trimmed: 0, acknowledged: 0 });

  /** A reader whose answers wait to be given. */
  function heldReader() {
    const held: (() => void)[] = [];
    let running = 0;
    let runningMax = 0;
    const reader = {
      position: async (_workspace: string, stream: string) => {
        running += 1;
        runningMax = Math.max(runningMax, running);
        await new Promise<void>((go) => held.push(go));
        running -= 1;
        if (stream === "fails") throw new ConnectionLost("lost");
        return position(Number(stream));
      },
    } as unknown as Reading;
    return { reader, give: () => held.shift()?.(), mostAtOnce: () => runningMax };
  }
  const settle = () => new Promise<void>((done) => setImmediate(done));

  it("[I6] run one at a time on each, in the order of asking, also after one that failed", async () => {
    const one = heldReader();
    const shared = shareReaders([one.reader], createSimClock());
    const asked = ["1", "fails", "3"].map((stream) => shared.position("default", stream));
    const settled = Promise.allSettled(asked);
    for (let turn = 0; turn < 3; turn += 1) {
      await settle();
      one.give();
    }
    expect((await settled).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(one.mostAtOnce()).toBe(1);
  });

  it("[I6] wait for so long and in such numbers only: the rest is told to come back", async () => {
    const one = heldReader();
    const clock = createSimClock();
    const shared = shareReaders([one.reader], clock);
    const first = shared.position("default", "1");
    const waiting = Array.from({ length: waitingReadsMax }, () =>
      shared.position("default", "2").catch((error: unknown) => error),
    );
    await expect(shared.position("default", "3")).rejects.toMatchObject({
      code: "store_unavailable",
      retryAfter: 5_000,
    });
    await clock.advance(10_000);
    for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ code: "store_unavailable" });
    expect(clock.timers).toBe(0);
    one.give();
    expect(await first).toEqual(position(1));
  });
});

describe("why a database cannot be used", () => {
  const withCode = (code: string): Error => Object.assign(new Error("no"), { code });

  it.each([
    [new Error("The server does not support SSL connections"), /switch TLS on there, or leave sslmode out/],
    [withCode("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), /name the file of its certificate's authority as sslrootcert/],
    [withCode("ERR_TLS_CERT_ALTNAME_INVALID"), /for another name/],
    [Object.assign(withCode("ENOENT"), { syscall: "open" }), /name a file that this user may read as sslrootcert/],
    [Object.assign(withCode("ENOENT"), { syscall: "connect" }), /check that it runs and can be reached/],
    [sqlError("28000"), /takes encrypted connections only, add \?sslmode=verify-full/],
    [sqlError("53300"), /raise max_connections/],
    [sqlError("55P03"), /a transaction of somebody else holds a table/],
    [sqlError("0A000"), /takes no writes, as a replica/],
  ])("[F79] %s says what to do", (error, sentence) => {
    const { message } = startError(postgresAddress("postgres://ada:s3cret@db/fleet"), error);
    expect(message).toMatch(sentence);
    expect(message).toMatch(/^The database ada@db:5432\/fleet cannot be used \(.*\): .*\.$/);
  });
});

describe("a database's address", () => {
  it.each([
    ["postgres://ada:s3cret@db.example:6543/fleet?sslmode=require", "ada@db.example:6543/fleet"],
    ["postgresql://db.example/fleet", "db.example:5432/fleet"],
    ["postgres://a%40b:s3cret@localhost/fleet?host=%2Frun%2Fpg", "a@b@/run/pg:5432/fleet"],
    ["postgres://100%sure:s3cret@db.example/fleet", "100%sure@db.example:5432/fleet"],
  ])("[AU-1] %s is told as %s", (url, inWords) => {
    expect(postgresAddress(url).inWords).toBe(inWords);
  });

  it.each([
    ["postgres://db.abc.supabase.co/postgres", true],
    ["postgres://aws-0-eu.pooler.supabase.com:6543/postgres", true],
    ["postgres://203.0.113.7/fleet?sslmode=disable", true],
    ["postgres://[2001:db8::1]/fleet", true],
    ["postgres://db.abc.supabase.co/postgres?sslmode=require", false],
    ["postgres://db.abc.supabase.co/postgres?ssl=true", false],
    ["postgres://db.abc.supabase.co/postgres?sslrootcert=/ca.pem", false],
    ["postgres://postgres/fleet", false],
    ["postgres://db.internal/fleet", false],
    ["postgres://127.0.0.1/fleet", false],
    ["postgres://172.30.44.2/fleet", false],
    ["postgres://[fd00::1]/fleet", false],
    ["postgres:///fleet?host=%2Frun%2Fpg.d", false],
  ])("[AU-1] %s would be asked in the clear across others' networks: %s", (url, inTheClear) => {
    expect(postgresAddress(url).inTheClear).toBe(inTheClear);
  });

  it.each(["mysql://ada:s3cret@db/x", "s3cret", ""])(
    "[AU-1] what is none (%j) is refused without being repeated",
    (url) => {
      expect(() => postgresAddress(url)).toThrow(/^The database URL is not one of PostgreSQL/);
      expect(() => postgresAddress(url)).not.toThrow(/s3cret/);
    },
  );
});
