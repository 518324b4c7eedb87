/**
 * A tab as a test drives it: one shared session, one reader, and a ledger of what the reader was given.
 *
 * The ledger and its cursor are kept together in this tab's storage, so a reload (or a duplicate, which copies
 * that storage) reads on; a loss or a repeat is then a hole or a double in the ledger, whatever happened.
 */
import type { DurableSession } from "@holdfast/client/durable";
import { indexedDbStorage } from "@holdfast/client/storage";
import { createSharedSession } from "@holdfast/client/tabs";

interface Ledger {
  readonly offsets: number[];
  readonly resets: string[];
  cursor: { readonly epoch: string; readonly offset: number } | undefined;
}

export interface TestTab {
  readonly session: DurableSession;
  readonly ledger: Ledger;
  say(word: string, durable?: boolean): void;
  readonly outcomes: Record<string, string>;
}

const query = new URLSearchParams(location.search);
const kept = sessionStorage.getItem("ledger");
const ledger: Ledger = kept === null ? { offsets: [], resets: [], cursor: undefined } : (JSON.parse(kept) as Ledger);
const outcomes: Record<string, string> = {};

const offset = query.get("offset");
const asked = offset === null ? undefined : { epoch: query.get("epoch") ?? "", offset: Number(offset) };

await fetch("/api/session");
const session = createSharedSession({
  clientName: "tabs-test",
  clientVersion: query.get("version") ?? "1",
  ...(query.has("storage") && query.get("way") !== "worker" && { storage: indexedDbStorage("page") }),
  name: "test",
  ...(query.get("way") === "worker" && {
    worker: (name: string) => new SharedWorker("/worker.js", { type: "module", name }),
  }),
});

session.subscribe("log", {
  from: ledger.cursor ?? asked ?? "start",
  onEvents(events, { cursor }) {
    for (const { offset } of events) ledger.offsets.push(offset);
    ledger.cursor = cursor;
    sessionStorage.setItem("ledger", JSON.stringify(ledger));
  },
  onReset: ({ reason }) => void ledger.resets.push(reason),
});

const tab: TestTab = {
  session,
  ledger,
  outcomes,
  say(word, durable = false) {
    outcomes[word] = "waits";
    session.call("say", { words: [word] }, { durable }).then(
      () => {
        outcomes[word] = "said";
      },
      (error: unknown) => {
        outcomes[word] = String(error);
      },
    );
  },
};
Object.assign(window, { tab });
