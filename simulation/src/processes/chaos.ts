/**
 * Chaos: the product's own processes under kills, cuts, stalls, stops and ended sessions, judged as a whole at the end.
 *
 * Life cycle: field → strikes by the drawn schedule → all is healed and nobody sends any more → everybody must have
 * seen and ended everything within `healMsMax` → the judge. Invariant: a strike counts only when it took effect; what
 * did not converge is a breach (I10) and is judged like any other, never waited for again.
 */
import type { JudgeReport } from "../judge/judge.ts";
import { type Field, makeField } from "./field.ts";
import { nameOfFault, type Player, pause } from "./player.ts";
import { drawSchedule, type Strike } from "./schedule.ts";
import { seeded } from "./seeded.ts";

/** I10: everything converges within this. */
const healMsMax = 60_000;

export interface ChaosOptions {
  readonly seed: number;
  /** How long strikes fall, ms. */
  readonly runMs: number;
  /** From one strike to the next, on average, ms. */
  readonly everyMs: number;
  readonly agents: number;
  readonly clients: number;
  readonly hasPages: boolean;
  readonly say: (line: string) => void;
}

export interface ChaosReport extends JudgeReport {
  readonly seed: number;
  readonly minutes: number;
  /** Strikes that took effect, by name of target's kind and fault. */
  readonly effective: ReadonlyMap<string, number>;
  readonly struck: number;
  readonly faults: number;
  /** Credentials that were renewed while it ran. */
  readonly refreshes: number;
  /** From the last healing until all had converged, ms; undefined: it never did. */
  readonly healedMs: number | undefined;
  /** What was still on the way then. */
  readonly unsettled: string | undefined;
}

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, say } = options;
  const beganAt = performance.now();
  const senders = Math.ceil(options.clients / 2);
  const field = await makeField({
    seed,
    agents: options.agents,
    readers: options.clients - senders,
    senders,
    sends: { everyMs: 2_000, unfinishedMax: 2, lines: 200, lineEveryMs: 17 },
    // Longer than a client may have to wait in a row of kills (CL-3): who is kept away until it ends must sign in again.
    signInSeconds: 240,
    hasPages: options.hasPages,
  });
  try {
    say(
      `the field is there after ${seconds(performance.now() - beganAt)}: ${field.recorders.length} clients, ${field.agents.length} agents`,
    );
    const strikes = drawSchedule({
      targets: {
        clients: field.recorders.map(({ name }) => name),
        agents: field.agents.map(({ name }) => name),
        pages: field.pages === undefined ? [] : [field.pages.recorder.name, field.pages.product.name],
      },
      runMs: options.runMs,
      everyMs: options.everyMs,
      random: seeded(`${seed} schedule`),
    });
    const effective = await strikeAll(field, strikes, options);
    const { healedMs, unsettled } = await converge(field, say);
    await field.end();
    const report = field.judge(true);
    const faults = [...effective.values()].reduce((sum, count) => sum + count, 0);
    return {
      ...report,
      seed,
      minutes: (performance.now() - beganAt) / 60_000,
      effective,
      struck: strikes.length,
      faults,
      refreshes: field.recorders.reduce((sum, { refreshes }) => sum + refreshes, 0),
      healedMs,
      unsettled,
    };
  } finally {
    await field.abandon();
  }
}

/** Carries out the schedule; strikes on different targets overlap. */
async function strikeAll(
  field: Field,
  strikes: readonly Strike[],
  { runMs, say }: ChaosOptions,
): Promise<ReadonlyMap<string, number>> {
  const effective = new Map<string, number>();
  const players = new Map<string, Player>(
    [...field.recorders, ...field.agents, ...(field.pages === undefined ? [] : Object.values(field.pages))].map(
      (player) => [player.name, player],
    ),
  );
  const beganAt = performance.now();
  const under: Promise<void>[] = [];
  const failures: unknown[] = [];
  const keeping = keepPagesSignedIn(field);
  for (const strike of strikes) {
    await pause(Math.max(0, strike.atMs - (performance.now() - beganAt)));
    if (failures.length > 0) break;
    under.push(carryOut(strike).catch((error: unknown) => void failures.push(error)));
  }
  if (failures.length === 0) await pause(Math.max(0, runMs - (performance.now() - beganAt)));
  await Promise.all(under);
  keeping.stop();
  // Somebody who could not be brought back: the run shows nothing any more.
  if (failures.length > 0) throw failures[0];
  return effective;

  async function carryOut(strike: Strike): Promise<void> {
    const { target, fault } = strike;
    const began = Date.now();
    const incident = { target, kind: nameOfFault(fault), beganAt: began, endedAt: Number.POSITIVE_INFINITY };
    field.incidents.push(incident);
    const player = players.get(target);
    const effect = player === undefined ? await strikeServer(field, strike) : await player.strike(strike);
    incident.endedAt = Date.now();
    if (effect === 0) return;
    const name = `${target.replace(/-?\d+$/, "")} ${incident.kind}`;
    effective.set(name, (effective.get(name) ?? 0) + 1);
    say(`${seconds(performance.now() - beganAt)} ${target}: ${incident.kind} for ${seconds(strike.ms)}`);
  }
}

/** A strike on the server took effect when somebody was connected. */
async function strikeServer(field: Field, { fault, ms }: Strike): Promise<number> {
  const { server } = field;
  const connected = field.recorders.reduce((sum, { connections }) => sum + connections, 0);
  switch (fault.kind) {
    case "kill":
      await server.kill();
      await pause(ms);
      await server.start();
      return connected;
    case "drain":
      await server.drain();
      await pause(ms);
      await server.start();
      return connected;
    case "stop":
      server.signal("SIGSTOP");
      await pause(ms);
      server.signal("SIGCONT");
      return connected;
    default:
      throw new Error(`${fault.kind} is nothing that befalls a server`);
  }
}

/** A person whose page says that the session is over signs in again. */
function keepPagesSignedIn({ pages }: Field): { stop(): void } {
  let isOver = false;
  const look = async (): Promise<void> => {
    while (!isOver && pages !== undefined) {
      await pause(1_000);
      const status = await pages.recorder.status();
      if (status?.state === "stopped") await pages.recorder.signInAgain().catch(() => {});
    }
  };
  void look();
  return {
    stop() {
      isOver = true;
    },
  };
}

async function converge(
  field: Field,
  say: (line: string) => void,
): Promise<Pick<ChaosReport, "healedMs" | "unsettled">> {
  field.quiet();
  say("all is healed, and nobody sends any more");
  const beganAt = performance.now();
  const unsettled = await field.settle(healMsMax);
  const ms = performance.now() - beganAt;
  if (unsettled !== undefined) return { healedMs: undefined, unsettled };
  say(`converged after ${seconds(ms)}`);
  return { healedMs: ms, unsettled };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
