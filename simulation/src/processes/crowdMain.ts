/**
 * Many clients in one process, each with a sign-in and a socket of its own: they read, renew their credentials, and count.
 *
 * Nothing is to happen to them: each end of a connection and each refused credential is counted as what must not be. Each
 * reader keeps the fold of all that it applied, to be compared with the log's at the end, since millions of deliveries
 * are not written down one by one. On `finish` it tells everything in one line and ends.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createSession, type Session } from "@holdfast/client";
import { askOver } from "@holdfast/client/http";
import { contentFold, contentOf } from "./content.ts";
import type { CrowdResult, CrowdSettings, CrowdStatus, ReaderResult } from "./crowdSettings.ts";
import { cookieHttp, cookieTransport } from "./nodePorts.ts";
import { createPhases } from "./phases.ts";
import { type Door, signIn } from "./signIn.ts";

const statusEveryMs = 500;
const settings = JSON.parse(process.argv[2] ?? "") as CrowdSettings;
const { count, url, via, data, folder, streams, shares = [] } = settings;
mkdirSync(folder, { recursive: true });

const totals = { deliveries: 0, closings: 0, attempts: 0, refreshes: 0, refusals: 0 };
const readers: ReaderResult[] = [];
const sessions: Session[] = [];
const phases = createPhases();
/** Reader of a shared stream → when its newest event was made. */
const fresh = new Map<string, number>();

async function enter(index: number): Promise<void> {
  const door: Door = { url, via, cookieFile: join(folder, `cookie${index}`) };
  if (data !== undefined) await signIn(door, data);
  const http = cookieHttp(door);
  const session = createSession({
    url: `${url.replace(/^http/, "ws")}/ws`,
    clientName: "crowd",
    transport: cookieTransport(door, {
      attempted: () => {
        totals.attempts += 1;
      },
      closed: () => {
        totals.closings += 1;
      },
      owned: () => {},
    }),
    http: askOver(async (method, path) => {
      const answer = await http(method, path);
      if (answer.status >= 400) totals.refusals += 1;
      else if (path.endsWith("/refresh")) totals.refreshes += 1;
      return answer;
    }),
  });
  sessions.push(session);
  for (const stream of streams) read(session, index, stream);
  const share = shares[index % Math.max(1, shares.length)];
  if (share !== undefined) read(session, index, share);
}

function read(session: Session, index: number, stream: string): void {
  const reader: ReaderResult = {
    reader: `crowd${index}/${stream}`,
    stream,
    offset: 0,
    fold: contentFold.initial,
    holes: 0,
  };
  readers.push(reader);
  if (shares.includes(stream)) fresh.set(reader.reader, 0);
  session.subscribe(stream, {
    from: "start",
    onEvents(events) {
      const last = events.at(-1);
      if (last !== undefined && fresh.has(reader.reader)) fresh.set(reader.reader, last.at);
      if (shares.includes(stream)) for (const { at } of events) phases.saw(reader.reader, at);
      for (const { event, data: payload, offset, through } of events) {
        totals.deliveries += through - offset + 1;
        if (offset !== reader.offset + 1) reader.holes += 1;
        reader.offset = through;
        if (event === "skipped") delete reader.fold;
        if (reader.fold !== undefined) reader.fold = contentFold.next(reader.fold, contentOf(event, payload));
      }
    },
    onReset: () => {
      reader.holes += 1;
    },
  });
}

function status(): CrowdStatus {
  const inState = (kind: Session["state"]["kind"]): number =>
    sessions.filter(({ state }) => state.kind === kind).length;
  return {
    ...totals,
    live: inState("live"),
    degraded: inState("degraded"),
    freshAt: [...fresh.values()].reduce((oldest, at) => Math.min(oldest, at), Number.POSITIVE_INFINITY),
    behind: readers.reduce((least, { offset }) => Math.min(least, offset), Number.POSITIVE_INFINITY),
  };
}

const tell = (line: CrowdStatus | CrowdResult): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

for (let index = 1; index <= count; index += 1) await enter(index);
const telling = setInterval(() => tell(status()), statusEveryMs);
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line.startsWith("phase ")) phases.begin(line.slice("phase ".length));
  if (line !== "finish") return;
  clearInterval(telling);
  const result: CrowdResult = { ...status(), readers, phases: phases.end() };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
});
