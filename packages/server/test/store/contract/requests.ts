/** The contract's part on requests: one effect a key, final answers kept, order by `after` (RQ-1…RQ-4). */
import { limits } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { codeOf, commitOne, newId, put, readAll, type Trial } from "./implementation.ts";

export function requestCases(trial: () => Trial): void {
  describe("requests", () => {
    it("[RQ-2] effect, events and answer commit together, in the order of the batch", async () => {
      const here = trial();
      const { outcomes, appended, faults } = await here.store.commit([put(here, "one"), put(here, "two")]);
      expect(outcomes.map(codeOf)).toEqual(["ok", "ok"]);
      expect(faults).toEqual([]);
      expect(appended).toMatchObject([{ workspace: here.workspace, stream: "items", offset: 1 }]);
      expect((await readAll(here, "items")).map(({ data }) => data)).toEqual([
        { id: "item-one", value: "one" },
        { id: "item-two", value: "two" },
      ]);
    });

    it("[RQ-1] a repeat gets the first answer, in the same batch and later, with one effect", async () => {
      const here = trial();
      const id = newId();
      const both = await here.store.commit([put(here, "one", { id }), put(here, "one", { id })]);
      const later = await here.store.commit([put(here, "one", { id })]);
      const answer = { ok: true, value: { id: "item-one", value: "one" } };
      expect([...both.outcomes, ...later.outcomes]).toEqual([answer, answer, answer]);
      expect(later.appended).toEqual([]);
      expect(await readAll(here, "items")).toHaveLength(1);
    });

    it("[RQ-1] a key belongs to its principal and workspace: others' equal keys are other requests", async () => {
      const [here, elsewhere] = [trial(), trial()];
      const id = newId();
      const first = await here.store.commit([put(here, "a", { id, by: "ada" }), put(here, "b", { id, by: "bob" })]);
      const second = await elsewhere.store.commit([put(elsewhere, "c", { id, by: "ada" })]);
      expect([...first.outcomes, ...second.outcomes].map(codeOf)).toEqual(["ok", "ok", "ok"]);
    });

    it("[RQ-1] a final error is every repeat's answer, its effect undone; the key with other params is a conflict that is not kept", async () => {
      const here = trial();
      const id = newId();
      const refusing = () => put(here, "no", { id, ending: "refuse" });
      const first = await commitOne(here, refusing());
      expect(first).toMatchObject({ ok: false, error: { code: "conflict", retryable: false } });
      expect(await commitOne(here, put(here, "other", { id }))).toMatchObject({
        error: { code: "conflict", retryable: false, details: { reason: "reused" } },
      });
      expect(await commitOne(here, refusing())).toEqual(first);
      expect(await readAll(here, "items")).toEqual([]);
    });

    it.each(["break", "sql"] as const)(
      "[F72] one that fails by fault (%s) undoes itself and nothing else, is named by a ref, and may run again",
      async (ending) => {
        const here = trial();
        const id = newId();
        const batch = [put(here, "one"), put(here, "bad", { id, ending }), put(here, "two")];
        const { outcomes, faults } = await here.store.commit(batch);
        expect(outcomes.map(codeOf)).toEqual(["ok", "internal", "ok"]);
        expect(faults).toHaveLength(1);
        expect(faults[0]?.error).toBeInstanceOf(Error);
        expect(outcomes[1]).toMatchObject({ error: { retryable: true, details: { ref: faults[0]?.ref } } });
        expect((await readAll(here, "items")).map(({ data }) => data)).toMatchObject([
          { value: "one" },
          { value: "two" },
        ]);
        expect(codeOf(await commitOne(here, put(here, "bad", { id, hash: "bad" })))).toBe("ok");
      },
    );

    it("[RQ-1] a secret is told once: the kept answer is without it", async () => {
      const here = trial();
      const ask = {
        kind: "request",
        caller: here.person("ada"),
        method: "item.secret",
        params: {},
        hash: "s",
      } as const;
      const id = newId();
      const first = await commitOne(here, { ...ask, id });
      expect(first).toMatchObject({ ok: true, value: { secret: "told once" } });
      const again = await commitOne(here, { ...ask, id });
      expect(again).toMatchObject({ ok: true, value: { id: first.ok ? (first.value as { id: string }).id : "" } });
      expect(JSON.stringify(again)).not.toContain("told once");
    });

    it.each([
      ["23 h and a minute ago", -limits.requestIdAgeMsMax - 60_000, "expired"],
      ["almost 23 h ago", -limits.requestIdAgeMsMax + 60_000, "ok"],
      ["4 min ahead", 4 * 60_000, "ok"],
      ["6 min ahead", 6 * 60_000, "expired"],
    ])("[RQ-1] an id made %s is judged", async (_title, aheadMs, expected) => {
      const here = trial();
      expect(codeOf(await commitOne(here, put(here, "one", { id: newId(aheadMs) })))).toBe(expected);
      expect(await readAll(here, "items")).toHaveLength(expected === "ok" ? 1 : 0);
    });

    it("[RQ-3] a request is not begun after its deadline", async () => {
      const here = trial();
      expect(codeOf(await commitOne(here, put(here, "late", { deadline: Date.now() - 1 })))).toBe("expired");
      expect(await readAll(here, "items")).toEqual([]);
    });

    it("[RQ-4] one that names another runs only after that one's kept result", async () => {
      const here = trial();
      const [first, second, failing] = [newId(), newId(), newId()];
      const early = await commitOne(here, put(here, "two", { id: second, after: first }));
      expect(early).toMatchObject({ error: { code: "conflict", retryable: true, details: { reason: "after" } } });
      const both = await here.store.commit([
        put(here, "one", { id: first }),
        put(here, "two", { id: second, after: first }),
        put(here, "no", { id: failing, ending: "refuse" }),
        put(here, "three", { after: failing }),
      ]);
      expect(both.outcomes.map(codeOf)).toEqual(["ok", "ok", "conflict", "conflict"]);
      expect(both.outcomes[3]).toMatchObject({ error: { retryable: false, details: { reason: "after_failed" } } });
      expect((await readAll(here, "items")).map(({ data }) => data)).toMatchObject([
        { value: "one" },
        { value: "two" },
      ]);
    });

    it("[RQ-4] another person's request of that id does not count", async () => {
      const here = trial();
      const id = newId();
      await here.store.commit([put(here, "one", { id, by: "bob" })]);
      const outcome = await commitOne(here, put(here, "two", { by: "ada", after: id }));
      expect(outcome).toMatchObject({ error: { code: "conflict", details: { reason: "after" } } });
    });

    it("[RQ-1] a read is run, keeps nothing, cannot append, and its fault is named", async () => {
      const here = trial();
      await here.store.commit([put(here, "one")]);
      const ask = (method: string) => here.store.query(here.person("ada"), method, {});
      expect(await ask("item.list")).toEqual({
        outcome: { ok: true, value: { items: [{ id: "item-one", value: "one" }] } },
        faults: [],
      });
      for (const method of ["item.wrongRead", "item.writingRead"]) {
        const { outcome, faults } = await ask(method);
        expect([codeOf(outcome), faults.length]).toEqual(["internal", 1]);
      }
      expect(await readAll(here, "items")).toHaveLength(1);
    });
  });
}
