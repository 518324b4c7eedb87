/**
 * Which fault befalls whom and when, drawn from a seed before anything runs: pure, and the same for the same seed.
 *
 * Faults of different targets overlap; of one target they follow each other, with a moment between. The last of them
 * ends before the healing phase. Kinds are dealt out in turn from a shuffled deck of all, so that a run of any length has
 * each of them about equally often.
 */
import type { NetworkFault, Way } from "./networkFault.ts";

/** What can be done to a process, or to its link. */
export type Fault = OwnFault | { readonly kind: "network"; readonly network: NetworkFault };

type OwnFault =
  /** SIGKILL; what was killed is started again after `ms`. */
  | { readonly kind: "kill" }
  /** SIGTERM to the server, which says `bye` to all (CL-9), and a new start. */
  | { readonly kind: "drain" }
  /** SIGSTOP for `ms`. */
  | { readonly kind: "stop" }
  /** The page is loaded again; its tab is closed and opened; its renderer crashes. */
  | { readonly kind: "reload" }
  | { readonly kind: "reopen" }
  | { readonly kind: "crash" }
  /** Somebody ends the session behind the credential (AU-9). */
  | { readonly kind: "signOut" };

export interface Strike {
  /** From the beginning of the run, ms. */
  readonly atMs: number;
  readonly ms: number;
  readonly target: string;
  readonly fault: Fault;
}

export interface Targets {
  readonly clients: readonly string[];
  readonly agents: readonly string[];
  readonly pages: readonly string[];
}

export interface ScheduleOptions {
  readonly targets: Targets;
  readonly runMs: number;
  /** From the begin of one strike to that of the next, ms, on average. */
  readonly everyMs: number;
  readonly random: () => number;
}

/** What the server's death and its peers' patience need: from the begin of one of its strikes to the next, ms. */
const serverApartMs = 20_000;
/** Between two strikes of any other target, ms. */
const apartMs = 2_000;
/** The first strike waits until everybody is there. */
const beginMs = 4_000;

/** What befalls whom. The deck has each row once. */
const deck: readonly {
  readonly target: "server" | keyof Targets;
  readonly fault: OwnFault["kind"] | NetworkFault["kind"];
}[] = [
  { target: "server", fault: "kill" },
  { target: "server", fault: "stop" },
  { target: "server", fault: "kill" },
  { target: "server", fault: "drain" },
  { target: "agents", fault: "kill" },
  { target: "agents", fault: "stop" },
  { target: "agents", fault: "blackHole" },
  { target: "agents", fault: "reset" },
  { target: "agents", fault: "halfClose" },
  { target: "agents", fault: "stall" },
  { target: "agents", fault: "rate" },
  { target: "clients", fault: "kill" },
  { target: "clients", fault: "kill" },
  { target: "clients", fault: "stop" },
  { target: "clients", fault: "blackHole" },
  { target: "clients", fault: "blackHole" },
  { target: "clients", fault: "reset" },
  { target: "clients", fault: "refuse" },
  { target: "clients", fault: "stall" },
  { target: "clients", fault: "halfClose" },
  { target: "clients", fault: "latency" },
  { target: "clients", fault: "rate" },
  { target: "clients", fault: "slice" },
  { target: "clients", fault: "signOut" },
  { target: "pages", fault: "reload" },
  { target: "pages", fault: "reopen" },
  { target: "pages", fault: "crash" },
  { target: "pages", fault: "stop" },
  { target: "pages", fault: "reset" },
  { target: "pages", fault: "blackHole" },
];

/** The strikes of a run, by their time. */
export function drawSchedule({ targets, runMs, everyMs, random }: ScheduleOptions): readonly Strike[] {
  const strikes: Strike[] = [];
  const freeAtMs = new Map<string, number>();
  const playable = deck.filter(({ target }) => target === "server" || targets[target].length > 0);
  const cards: (typeof deck)[number][] = [];
  const indexOfFree = (atMs: number): number => cards.findIndex((card) => someoneFree(card, atMs) !== undefined);
  for (let atMs = beginMs; atMs < runMs; atMs += everyMs * (0.5 + random())) {
    // What is left is for those who are struck just now: another deck, so that the others do not wait for them.
    if (indexOfFree(atMs) === -1 && cards.length < playable.length) cards.push(...shuffled(playable, random));
    const index = indexOfFree(atMs);
    const [card] = index === -1 ? [] : cards.splice(index, 1);
    const target = card === undefined ? undefined : someoneFree(card, atMs);
    if (card === undefined || target === undefined) continue;
    const fault = faultOf(card.fault, random);
    const ms = Math.round(lengthOf(fault, target === "server", random));
    if (atMs + ms > runMs) continue;
    strikes.push({ atMs: Math.round(atMs), ms, target, fault });
    freeAtMs.set(target, Math.max(atMs + ms + apartMs, target === "server" ? atMs + serverApartMs : 0));
  }
  return strikes;

  function someoneFree({ target }: (typeof deck)[number], atMs: number): string | undefined {
    const names = target === "server" ? ["server"] : targets[target];
    const free = names.filter((name) => (freeAtMs.get(name) ?? 0) <= atMs);
    return free[Math.floor(random() * free.length)];
  }
}

function faultOf(kind: (typeof deck)[number]["fault"], random: () => number): Fault {
  const way = (["up", "down", "both"] as const satisfies readonly Way[])[Math.floor(random() * 3)] ?? "both";
  switch (kind) {
    case "kill":
    case "drain":
    case "stop":
    case "reload":
    case "reopen":
    case "crash":
    case "signOut":
      return { kind };
    case "latency":
      return { kind: "network", network: { kind, ms: 50 + random() * 400, jitterMs: random() * 300 } };
    case "rate":
      return { kind: "network", network: { kind, bytesPerSecond: Math.round(2_000 + random() * 20_000) } };
    case "slice":
      return { kind: "network", network: { kind, bytesMax: 1 + Math.floor(random() * 200) } };
    case "stall":
    case "blackHole":
      return { kind: "network", network: { kind, way } };
    case "halfClose":
      return { kind: "network", network: { kind, side: random() < 0.5 ? "client" : "server" } };
    default:
      return { kind: "network", network: { kind } };
  }
}

/** How long it acts, ms. After a kill or a crash: until the next start. */
function lengthOf(fault: Fault, isServer: boolean, random: () => number): number {
  if (fault.kind === "kill" || fault.kind === "drain") return isServer ? random() * 3_000 : 200 + random() * 3_000;
  if (fault.kind === "stop") return isServer ? 500 + random() * 5_000 : 1_000 + random() * 13_000;
  if (fault.kind === "network") return fault.network.kind === "reset" ? 500 : 1_000 + random() * 14_000;
  return 300 + random() * 1_000;
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const all = [...items];
  for (let index = all.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [all[index], all[other]] = [all[other] as Item, all[index] as Item];
  }
  return all;
}
