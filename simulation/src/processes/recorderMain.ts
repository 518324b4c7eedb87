/**
 * A client as a process: the production session with its file storage, which reads streams, sends commands, and writes
 * down what it sees. It may be killed at any moment; its next life goes on from what was stored.
 *
 * Life cycle: sign in (if nobody is) → session → records, until SIGTERM; a session that stops since its credential
 * ended is followed by another sign-in and another session, a life of its own. Invariant: what is written down was
 * handed to the operating system before the handler returned, so a kill loses none of it.
 */
import { closeSync, existsSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createDurableSession, type DurableSession } from "@holdfast/client/durable";
import { askOver } from "@holdfast/client/http";
import { fileStorage } from "@holdfast/client/storage/file";
import { closeCodes } from "@holdfast/protocol";
import type { ClosingCause, Observation } from "../judge/observation.ts";
import { readWholeLines } from "./jsonLines.ts";
import { type ConnectionListener, cookieHttp, cookieTransport } from "./nodePorts.ts";
import { makePerson, type Person } from "./person.ts";
import type { RecorderSettings, RecorderStatus } from "./recorderSettings.ts";
import { type Recording, record } from "./recording.ts";
import { seeded } from "./seeded.ts";
import { ask, cookieEndsAt, cookieOf, type Door, signIn } from "./signIn.ts";

const statusEveryMs = 250;
const signInAgainMs = 500;
const workspace = "default";

const settings = JSON.parse(process.argv[2] ?? "") as RecorderSettings;
const { name, url, via, data, folder, streams } = settings;
mkdirSync(folder, { recursive: true });
const recordsFile = join(folder, "records.jsonl");
const past = readPast();
const records = openSync(recordsFile, "a");
const door: Door = { url, via, cookieFile: join(folder, "cookie") };
const now = (): number => Date.now();

let refreshes = 0;
let reconnects = 0;
let current: { readonly session: DurableSession; readonly recordings: readonly Recording[] } | undefined;
let isEnding = false;
let sessions = 0;
const person: Person = makePerson({
  settings,
  random: seeded(`${name} ${settings.life} ${settings.sends?.seed ?? 0}`),
  now,
  observe,
  past,
});

function observe(...observations: readonly Observation[]): void {
  if (observations.length > 0) writeSync(records, observations.map((one) => `${JSON.stringify(one)}\n`).join(""));
}

async function main(): Promise<void> {
  setInterval(() => process.stdout.write(`${JSON.stringify(status())}\n`), statusEveryMs);
  createInterface({ input: process.stdin }).on("line", hear);
  process.on("SIGTERM", () => void leave());
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      observe({
        kind: "uncaught",
        at: now(),
        where: name,
        error: error instanceof Error ? String(error.stack) : String(error),
      });
      process.exit(1);
    });
  }
  while (!isEnding) {
    const user = await beSignedIn();
    await live(user);
  }
}

/** Who this is, signed in anew where nobody is; tried until the server answers. */
async function beSignedIn(): Promise<string> {
  for (;;) {
    try {
      if (cookieOf(door) === undefined) await signIn(door, data);
      const { body } = await ask(door, "GET", "/api/session");
      const { user } = body as { readonly user: { readonly id: string } | null };
      if (user !== null) return user.id;
      await signIn(door, data);
    } catch {
      // The server or the network is away: that is what these runs are about.
      await new Promise((done) => setTimeout(done, signInAgainMs));
    }
  }
}

/** One session, until it stops. */
async function live(user: string): Promise<void> {
  sessions += 1;
  const client = `${name}#${settings.life}.${sessions}`;
  const storage = fileStorage(join(folder, "storage.json"));
  await storage.open();
  const session = createDurableSession({
    url: `${url.replace(/^http/, "ws")}/ws`,
    clientName: "recorder",
    storage,
    transport: cookieTransport(door, connections(client)),
    http: askOver(async (method, path) => {
      const answer = await cookieHttp(door)(method, path);
      if (path.endsWith("/refresh") && answer.status === 200) refreshes += 1;
      return answer;
    }),
  });
  const stopped = new Promise<void>((done) => {
    session.onChange(() => {
      told(client, session);
      if (session.state.kind === "stopped") done();
    });
  });
  const identity = { user, workspace };
  const recordings = streams.map((stream) =>
    record(
      {
        session,
        storage,
        identity,
        client,
        now,
        observe,
        applied: (_stream, events) => {
          person.applied(events);
        },
      },
      stream,
    ),
  );
  current = { session, recordings };
  person.begin(session);
  await stopped;
  person.leave();
  reconnects += session.statistics.reconnects;
  for (const { subscription } of recordings) subscription.unsubscribe();
  await session.close();
  if (!isEnding) observe({ kind: "clientEnded", at: now(), client });
}

const states = new Map<string, string>();

/** Writes down what the session says of its connection, where it changed. */
function told(client: string, session: DurableSession): void {
  // That it closes now is this program's own doing.
  if (isEnding) return;
  const { kind: state } = session.state;
  const before = states.get(client);
  if (state === before) return;
  states.set(client, state);
  observe({ kind: "clientState", at: now(), client, state });
  const isWelcome = (kind: string | undefined): boolean =>
    kind === "live" || kind === "catchingUp" || kind === "degraded";
  if (isWelcome(state) && !isWelcome(before)) observe({ kind: "welcomed", at: now(), client });
  if (state === "live") observe({ kind: "settled", at: now(), client });
}

function connections(client: string): ConnectionListener {
  let wasRefused = false;
  return {
    attempted() {
      observe({ kind: "attempted", at: now(), client, ...(wasRefused ? { because: "credential" as const } : {}) });
      wasRefused = false;
    },
    closed(code) {
      wasRefused = code === closeCodes.unauthenticated;
      const cause = causeOf(code);
      observe({ kind: "closed", at: now(), client, code, ...(cause === undefined ? {} : { cause }) });
    },
    owned: (count) => observe({ kind: "socketsOwned", at: now(), client, count }),
  };
}

/** What this client knows of an end; faults are laid beside it by whoever made them. */
function causeOf(code: number): ClosingCause | undefined {
  if (isEnding) return "left";
  const hasEnded = code === closeCodes.unauthenticated && (cookieEndsAt(door) ?? Number.POSITIVE_INFINITY) <= now();
  return hasEnded ? "authority" : undefined;
}

function status(): RecorderStatus {
  const recordings = current?.recordings ?? [];
  return {
    state: current?.session.state.kind ?? "authenticating",
    offsets: Object.fromEntries(recordings.map(({ stream, offset }) => [stream, offset])),
    outbox: person.unsettled,
    unfinished: person.unfinished,
    reconnects: reconnects + (current?.session.statistics.reconnects ?? 0),
    refreshes,
    residentBytes: process.memoryUsage.rss(),
  };
}

function hear(order: string): void {
  if (order === "quiet") person.quiet();
  if (order === "position") for (const recording of current?.recordings ?? []) recording.tellPosition();
}

async function leave(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  for (const recording of current?.recordings ?? []) recording.tellPosition();
  person.leave();
  await current?.session.close();
  closeSync(records);
  process.exit(0);
}

/** What earlier lives wrote down of requests and commands. */
function readPast(): readonly Observation[] {
  if (!existsSync(recordsFile)) return [];
  const ofPerson = /^\{"kind":"(requestIssued|requestSettled|commandAccepted|personTold)"|"content":"\\ncommand\./;
  return readWholeLines<Observation>(recordsFile, (line) => ofPerson.test(line));
}

await main();
