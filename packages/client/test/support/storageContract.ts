/**
 * The one contract of a storage, as cases that any runner can run: in Node for a file, in a browser for IndexedDB.
 *
 * `reopen` gives a storage over the same place each time, and the one before it is closed: what it wrote is there.
 */
import type { SessionStorage, StoredRequest } from "../../src/storage/port.ts";

export type StorageCase = (reopen: () => Promise<SessionStorage>) => Promise<void>;

const ann = { user: "ann", workspace: "default" };
const bob = { user: "bob", workspace: "default" };
const cursor = (offset: number, epoch = "epoch-1") => ({ epoch, offset });

const request = (ticket: string, text = "ls"): StoredRequest => ({
  ticket,
  method: "do",
  params: JSON.stringify({ text }),
  lane: "a",
  timeoutMs: undefined,
  savedAt: 1,
});

export const storageCases: Readonly<Record<string, StorageCase>> = {
  "[RQ-3] gives requests back in the order in which they were saved, with the id under which they went out": async (
    reopen,
  ) => {
    const first = await reopen();
    await first.open();
    await first.identify(ann);
    for (const ticket of ["c", "a", "b"]) await first.putRequest(request(ticket));
    await first.putRequest({ ...request("c"), named: { id: "id-c", text: "{}", deadline: 5 } });
    await first.deleteRequest("a");
    const { identity, requests } = await (await reopen()).open();
    same(identity, ann);
    same(
      requests.map(({ ticket, named }) => [ticket, named?.id]),
      [
        ["c", "id-c"],
        ["b", undefined],
      ],
    );
    same(requests[1]?.params, '{"text":"ls"}');
  },
  "[ST-6] gives a state back with its cursor, never one without the other": async (reopen) => {
    const first = await reopen();
    await first.open();
    await first.identify(ann);
    same(await first.saveState(ann, "log", { state: { items: [1, 2] }, cursor: cursor(2) }), true);
    const second = await reopen();
    await second.open();
    same(await second.loadState(ann, "log"), { state: { items: [1, 2] }, cursor: cursor(2) });
  },
  "[ST-6] keeps the newer of two states of one history, whoever writes last": async (reopen) => {
    const storage = await reopen();
    await storage.open();
    await storage.identify(ann);
    await storage.saveState(ann, "log", { state: "at 5", cursor: cursor(5) });
    same(await storage.saveState(ann, "log", { state: "at 3", cursor: cursor(3) }), false);
    same((await storage.loadState(ann, "log"))?.state, "at 5");
    same(await storage.saveState(ann, "log", { state: "new", cursor: cursor(1, "epoch-2") }), true);
    same((await storage.loadState(ann, "log"))?.state, "new");
  },
  "[OP-5] is one user's: another's takes nothing over, and sees nothing": async (reopen) => {
    const storage = await reopen();
    await storage.open();
    await storage.identify(ann);
    await storage.putRequest(request("a"));
    await storage.saveState(ann, "log", { state: "ann's", cursor: cursor(1) });
    same(await storage.loadState(bob, "log"), undefined);
    same(await storage.saveState(bob, "log", { state: "bob's", cursor: cursor(9) }), false);
    await storage.identify(bob);
    const held = await (await reopen()).open();
    same([held.identity, held.requests], [bob, []]);
    same(await storage.loadState(bob, "log"), undefined);
  },
  "[OP-5] drops everything, and whose it was": async (reopen) => {
    const storage = await reopen();
    await storage.open();
    await storage.identify(ann);
    await storage.putRequest(request("a"));
    await storage.saveState(ann, "log", { state: 1, cursor: cursor(1) });
    await storage.drop();
    const held = await (await reopen()).open();
    same([held.identity, held.requests], [undefined, []]);
    same(await storage.loadState(ann, "log"), undefined);
    same(await storage.saveState(ann, "log", { state: 1, cursor: cursor(1) }), false);
  },
  "refuses requests over its limit, and keeps what it has": async (reopen) => {
    const storage = await reopen();
    await storage.open();
    await storage.identify(ann);
    await storage.putRequest(request("a"));
    const refused = await storage.putRequest(request("b", "x".repeat(4 * 1024 * 1024))).then(
      () => "written",
      (error: unknown) => (error instanceof RangeError ? "refused" : String(error)),
    );
    same(refused, "refused");
    same(
      (await (await reopen()).open()).requests.map(({ ticket }) => ticket),
      ["a"],
    );
  },
  "forgets the state saved longest ago when all together grow over the limit; one too large is not taken": async (
    reopen,
  ) => {
    const storage = await reopen();
    await storage.open();
    await storage.identify(ann);
    const large = "x".repeat(3.9 * 1024 * 1024);
    for (let key = 1; key <= 8; key += 1) await storage.saveState(ann, `${key}`, { state: large, cursor: cursor(1) });
    await storage.saveState(ann, "1", { state: large, cursor: cursor(2) });
    same(await storage.saveState(ann, "9", { state: large, cursor: cursor(1) }), true);
    const there: string[] = [];
    for (let key = 1; key <= 9; key += 1) if (await storage.loadState(ann, `${key}`)) there.push(`${key}`);
    same(there, ["1", "3", "4", "5", "6", "7", "8", "9"]);
    same(await storage.saveState(ann, "10", { state: large + large, cursor: cursor(1) }), false);
  },
};

function same(actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual) ?? "undefined", JSON.stringify(expected) ?? "undefined"];
  if (one !== other) throw new Error(`expected ${other.slice(0, 300)}, got ${one.slice(0, 300)}`);
}
