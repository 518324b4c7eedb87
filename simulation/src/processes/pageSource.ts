/**
 * The recorder as a page: the production session in a browser, shared by its tabs, with what it reads kept in IndexedDB.
 *
 * Built for the browser when a run begins. What it sees goes out through `recorderObserved`, which the run puts into
 * every document; a crash loses the last of it, and what was kept with the cursor proves the rest.
 */
import type { Session } from "@holdfast/client";
import { indexedDbStorage } from "@holdfast/client/storage";
import { createSharedSession } from "@holdfast/client/tabs";
import type { Observation } from "../judge/observation.ts";
import type { RecorderStatus } from "./recorderSettings.ts";
import { type Recording, record } from "./recording.ts";

interface PageSettings {
  readonly client: string;
  readonly streams: readonly string[];
  readonly user: string;
  readonly workspace: string;
}

export interface RecorderPage {
  status(): RecorderStatus & { readonly reason?: string };
  tellPosition(): Promise<void>;
}

interface Bindings {
  recorderSettings(): Promise<PageSettings>;
  recorderObserved(observations: readonly Observation[]): Promise<void>;
}

const bound = window as unknown as Bindings;
const { client, streams, user, workspace } = await bound.recorderSettings();
let told: Promise<void> = Promise.resolve();
const observe = (...observations: readonly Observation[]): void => {
  if (observations.length > 0) told = bound.recorderObserved(observations);
};
const now = (): number => Date.now();

// The session keeps its outbox under the one name, the readers their states under the other: both survive the page.
const storage = indexedDbStorage("recorder");
const session: Session = createSharedSession({ clientName: "recorder-page", name: "recorder" });
let state = "";
session.onChange(() => {
  if (session.state.kind === state) return;
  state = session.state.kind;
  observe({ kind: "clientState", at: now(), client, state });
});
const recordings: readonly Recording[] = streams.map((stream) =>
  record({ session, storage, identity: { user, workspace }, client, now, observe }, stream),
);

const recorder: RecorderPage = {
  status: () => ({
    state: session.state.kind,
    ...(session.state.kind === "stopped" ? { reason: session.state.reason } : {}),
    offsets: Object.fromEntries(recordings.map(({ stream, offset }) => [stream, offset])),
    outbox: session.outbox,
    unfinished: 0,
    reconnects: session.statistics.reconnects,
    refreshes: 0,
    residentBytes: 0,
  }),
  async tellPosition() {
    for (const recording of recordings) recording.tellPosition();
    await told;
  },
};
Object.assign(window, { recorder });
