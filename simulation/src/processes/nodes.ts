/**
 * Two servers on one PostgreSQL behind a balancer, under load: what their readers notice when notices are lost, when both
 * are restarted one after the other, and when one is killed.
 *
 * Life cycle: both start without a bus (every notice is lost: they live by the head check, ST-14) → both are restarted in
 * turn, now with a bus → the one that holds everybody is killed with SIGKILL and started again → newcomers on both → quiet
 * → judged as a whole. Invariants: all come by the balancer, which prefers nobody; agents print all the time, so that a
 * pause on a page is a pause of delivery.
 */
import type { JudgeReport } from "../judge/judge.ts";
import { wrongReaders } from "./crowd.ts";
import type { CrowdResult, PhaseFigures } from "./crowdSettings.ts";
import { judgeHistory } from "./judgeHistory.ts";
import { makeNodesField, type NodesField, type TwoNodes } from "./nodesField.ts";
import type { OlderProgram } from "./olderProgram.ts";
import { pause, until } from "./player.ts";
import { readPostgresLog } from "./postgresLog.ts";

const settleMsMax = 120_000;
const liveMsMax = 30_000;
/**
 * After a server is back: its start and what all have missed are not the next phase's. Whoever is lost within 10 s of a
 * return comes back later for it (CL-3).
 */
const calmMs = 12_000;
const betweenRestartsMs = 3_000;
const newcomers = 10;

export interface NodesOptions {
  readonly clients: number;
  readonly agents: number;
  readonly senders: number;
  /** What both servers run until they are restarted: two versions at once. */
  readonly older?: OlderProgram | undefined;
  /** Of a phase in which nothing befalls the servers, ms. */
  readonly phaseMs: number;
  readonly say: (line: string) => void;
}

export interface NodesReport {
  readonly clients: number;
  readonly agents: number;
  readonly seconds: number;
  readonly phases: readonly PhaseFigures[];
  /** Those of the crowd that each server held, before and after the kill. */
  readonly heldBeforeKill: readonly number[];
  readonly heldAfterKill: readonly number[];
  /** From the kill until all were live on the other one, ms. */
  readonly movedMs: number;
  readonly committed: number;
  readonly deliveries: number;
  readonly wrongReaders: readonly string[];
  readonly unsettled: string | undefined;
  readonly judged: JudgeReport;
}

export async function runNodes(options: NodesOptions): Promise<NodesReport> {
  const { say, phaseMs } = options;
  const beganAt = performance.now();
  const field = await makeNodesField(options);
  const { crowd, nodes, balancer } = field;
  const phase = (name: string): void => {
    crowd.child.tell(`phase ${name}`);
    say(`${name}: ${balancer.held.join(" and ")} connections`);
  };
  try {
    phase("every notice lost");
    await pause(phaseMs);
    await field.print("first");
    phase("rolling restart");
    await rollingRestart(field, nodes, options.older === undefined ? betweenRestartsMs : phaseMs);
    phase("calm");
    await pause(calmMs);

    const heldBeforeKill = [...balancer.held];
    const fullest = (heldBeforeKill[0] ?? 0) >= (heldBeforeKill[1] ?? 0) ? nodes.a : nodes.b;
    phase("one killed");
    await field.print("second");
    const killedAt = performance.now();
    const closings = crowd.last()?.closings ?? 0;
    await field.incident("kill", () => fullest.kill());
    await until(
      () => ((crowd.last()?.closings ?? 0) > closings ? true : undefined),
      () => "the crowd told that its server was killed",
      liveMsMax,
    );
    await allLive(field, options.clients);
    const movedMs = performance.now() - killedAt;
    const heldAfterKill = [...balancer.held];
    await fullest.start();
    phase("calm");
    await pause(calmMs);

    await field.print("third");
    phase("with newcomers on both");
    const late = await field.join("newcomers", newcomers);
    late.child.tell("phase notices heard");
    await pause(phaseMs);
    const heard = await late.finish();
    const unsettled = await field.settle(settleMsMax);
    const result = await crowd.finish();
    await field.end();
    const events = await readPostgresLog(field.query);
    return {
      clients: options.clients,
      agents: options.agents,
      seconds: (performance.now() - beganAt) / 1_000,
      phases: [...told(result), ...told(heard)],
      heldBeforeKill,
      heldAfterKill,
      movedMs,
      committed: events.length,
      deliveries: result.deliveries + heard.deliveries,
      wrongReaders: [...wrongReaders(result, events), ...holesOf(heard)],
      unsettled,
      judged: judgeHistory(
        {
          events,
          removed: [],
          effects: field.effects(),
          records: [field.sent, ...field.senders.map((sender) => sender.records())],
          logLines: [],
          incidents: field.incidents,
          lifeEnds: [],
        },
        true,
      ),
    };
  } finally {
    await field.abandon();
  }
}

/** SIGTERM and a new start of one, then of the other, with a bus and today's program from then on. */
async function rollingRestart(field: NodesField, { a, b }: TwoNodes, apartMs: number): Promise<void> {
  for (const node of [a, b]) {
    await field.incident("drain", () => node.drain());
    node.hearsNotices = true;
    await node.start();
    await pause(apartMs);
  }
}

async function allLive({ crowd }: NodesField, count: number): Promise<void> {
  await until(
    () => (crowd.last()?.live === count ? true : undefined),
    () => `${count} clients live, of which ${crowd.last()?.live} are`,
    liveMsMax,
  );
}

/** The phases in which something is to be measured. */
function told({ phases }: CrowdResult): readonly PhaseFigures[] {
  return phases.filter(({ name }) => name !== "calm" && name !== "with newcomers on both");
}

/** Who came late left early: what they read is compared with nothing but itself. */
function holesOf({ readers }: CrowdResult): readonly string[] {
  return readers.flatMap(({ reader, holes }) =>
    holes === 0 ? [] : [`${reader} was given ${holes} events that were not the next`],
  );
}
