/**
 * Thousands of production clients in one process: each reads a stream from its start, for as long as the process lives.
 *
 * Started by `crowd.ts`, with its settings as one JSON argument; asked on the channel. Invariant: each client
 * judges every event that it applies: it is the next one, and the fold of all texts is the same for all who stand
 * at the same place. It keeps no event. Times are ms since 1970, since those who compare them are other processes.
 */
import { setPriority } from "node:os";
import { createSession, type Session } from "@holdfast/client";
import { foldText } from "./fold.ts";
import { lightTransport } from "./lightTransport.ts";

export interface CrowdSettings {
  readonly url: string;
  readonly stream: string;
  readonly clients: number;
  /** Number of the first of them: their users are `crowd-<number>`. */
  readonly first: number;
}

export interface CrowdStatus {
  readonly live: number;
  /** Who lost a connection since the mark, and who of them is live again. */
  readonly lost: number;
  readonly returned: number;
  /** When the last of them was live again. */
  readonly lastReturnedAt: number;
  /** The least that any of them has applied, and the most. */
  readonly appliedMin: number;
  readonly appliedMax: number;
  /** The folds of those who applied most: one, where nothing was lost, repeated or changed. */
  readonly folds: readonly number[];
  /** What must not be; at most {@link faultsKept}. */
  readonly faults: readonly string[];
  readonly attempts: number;
  /** Since the process began, user and system. */
  readonly cpuMs: number;
}

export type CrowdQuestion = "mark" | "status";

interface Member {
  readonly session: Session;
  applied: number;
  fold: number;
  live: boolean;
  lost: boolean;
  returned: boolean;
}

const faultsKept = 20;
/** A third of a core where the server wants two. */
const niceness = 5;

// They stand for machines of their own: where a core is short, the server on this one goes first.
setPriority(niceness);
const settings = JSON.parse(process.argv[2] ?? "{}") as CrowdSettings;
const members: Member[] = [];
const faults: string[] = [];
let lastReturnedAt = 0;
let attempts = 0;

const fault = (what: string): void => {
  if (faults.length < faultsKept) faults.push(what);
};

function join(number: number): void {
  const session = createSession({
    url: settings.url,
    clientName: "crowd",
    getToken: async () => `crowd-${number}/viewer`,
    onProblem: (problem) => fault(`client ${number}: ${problem.message}`),
    transport: {
      open(...parameters) {
        attempts += 1;
        return lightTransport.open(...parameters);
      },
    },
  });
  const member: Member = { session, applied: 0, fold: 0, live: false, lost: false, returned: false };
  members.push(member);
  session.onChange(() => changed(member, number));
  session.subscribe(settings.stream, {
    from: "start",
    onEvents(events) {
      for (const { offset, data } of events) {
        if (offset !== member.applied + 1) fault(`client ${number} was given ${offset} after ${member.applied}`);
        member.applied = offset;
        member.fold = foldText(member.fold, String((data as { text: unknown }).text));
      }
    },
    onReset: ({ reason }) => fault(`client ${number} was reset: ${reason}`),
    onError: (error) => fault(`client ${number}: ${String(error)}`),
  });
}

function changed(member: Member, number: number): void {
  const { state } = member.session;
  member.live = state.kind === "live";
  if (state.kind === "stopped") fault(`client ${number} stopped: ${state.reason}`);
  if (state.kind === "waiting" || state.kind === "connecting") member.lost = true;
  if (!member.live || !member.lost || member.returned) return;
  member.returned = true;
  lastReturnedAt = Date.now();
}

function status(): CrowdStatus {
  const applied = members.map((member) => member.applied);
  const appliedMax = applied.reduce((most, one) => Math.max(most, one), 0);
  const count = (is: (member: Member) => boolean): number => members.filter(is).length;
  return {
    live: count(({ live }) => live),
    lost: count(({ lost }) => lost),
    returned: count(({ returned }) => returned),
    lastReturnedAt,
    appliedMin: applied.reduce((least, one) => Math.min(least, one), appliedMax),
    appliedMax,
    folds: [...new Set(members.filter((member) => member.applied === appliedMax).map(({ fold }) => fold))],
    faults,
    attempts,
    cpuMs: cpuMs(),
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1_000);
}

process.on("message", (question: CrowdQuestion) => {
  if (question === "mark") {
    attempts = 0;
    for (const member of members) {
      member.lost = false;
      member.returned = false;
    }
  }
  process.send?.(status());
});
// Whoever started it is gone, in whatever way.
process.on("disconnect", () => process.exit(0));
for (let index = 0; index < settings.clients; index += 1) join(settings.first + index);
