/**
 * An agent of the simulated deployment: the production agent, in processes that crash, sleep and come back.
 *
 * Life: one process at a time, started over the same folder, as a supervisor would; a crash loses its memory and
 * keeps what the folder says. A *twin* is what a copied machine makes: a second process over a copy of the folder while
 * the first is only stopped, which must be fenced when it wakes (OP-7). It decides nothing: the plan does.
 */
import type { Cursor } from "@holdfast/protocol";
import { startAgent } from "../../../packages/agent/src/agent.ts";
import type { StateFolder } from "../../../packages/agent/src/state/folder.ts";
import { dice } from "../core/dice.ts";
import { Process } from "../core/process.ts";
import type { AgentPlan, ClaimTrap } from "../plan/cast.ts";
import type { Path } from "../world/path.ts";
import type { Surroundings } from "../world/surroundings.ts";
import { simulatedExecutor } from "./executor.ts";
import { openProgram } from "./sessions.ts";
import { watchSettling } from "./settling.ts";
import { serverView, watchedTransport } from "./watch.ts";

/** What is on the disk. */
interface Folder {
  agent: string | undefined;
  inbox: Cursor | undefined;
}

const diskMsMax = 5;
/** CONTROL.md: a node's lease. */
const leaseMs = 15_000;

export class AgentActor {
  readonly plan: AgentPlan;
  readonly path: Path;
  process: Process;
  trap: ClaimTrap | undefined;
  /** Nobody has time for long programs any more. */
  isHurried = false;
  private readonly world: Surroundings;
  private folder: Folder = { agent: undefined, inbox: undefined };
  private starts = 0;

  constructor(world: Surroundings, plan: AgentPlan) {
    this.world = world;
    this.plan = plan;
    this.path = world.network.path(plan.name, plan.latencyMs, plan.jitterMs);
    this.process = new Process(world.scheduler, `${plan.name} 0`);
    this.process.kill();
  }

  /** The id that the server gave it. */
  get id(): string | undefined {
    return this.folder.agent;
  }

  get isOpen(): boolean {
    return this.process.isAlive && this.world.network.of(this.path).some((connection) => connection.isOpen);
  }

  /** It has said who it is, on a connection of whose end nobody knows. */
  get isConnected(): boolean {
    const connections = this.process.isAlive ? this.world.network.of(this.path) : [];
    return connections.some(({ isOpen, isEnding, hasGreeted }) => isOpen && !isEnding && hasGreeted);
  }

  /**
   * The node that holds its connection lives, and has said nothing to a store that takes everything for a lease: the
   * others take it for dead (F51). Time in which the store was in trouble counts for nobody (I5).
   */
  get isNodeSilent(): boolean {
    const { network, scheduler, storeWeather } = this.world;
    const silentMs = (heardAt: number): number => scheduler.now - Math.max(heardAt, storeWeather.failedAt);
    return network
      .of(this.path)
      .some(({ isOpen, server }) => isOpen && server !== undefined && silentMs(server.committedAt) >= leaseMs);
  }

  start(): void {
    if (this.process.isAlive) return;
    this.launch();
  }

  /** A second process over a copy of the folder (its lock keeps out a second one over the same), while the present one is stopped. */
  twin(stoppedMs: number): void {
    this.process.stop(stoppedMs, true);
    this.folder = { ...this.folder };
    this.launch();
  }

  kill(isSilent: boolean): void {
    this.end(this.process, isSilent);
  }

  private launch(): void {
    const { world, plan } = this;
    this.starts += 1;
    const client = `${plan.name}/${this.starts}`;
    const process = new Process(world.scheduler, client);
    this.process = process;
    const { clock } = process;
    const chance = dice(world.seed, "agent", client);
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const options = {
      server: "http://holdfast.test",
      key: world.issuer.agentKey(plan.name, plan.workspace),
      name: plan.name,
      kind: "shell" as const,
      cwd: "/",
      state: plan.name,
      keepEnv: false,
      log,
    };
    void startAgent(options, {
      clock,
      random: chance,
      openState: async () => this.openFolder(process),
      createExecutor: () =>
        simulatedExecutor({
          clock,
          dice: dice(world.seed, "programs", client),
          isTalkative: world.plan.workMs !== undefined,
          isHurried: () => this.isHurried,
          begins: (id) => this.begins(process, id),
        }),
      createSession: (given) => {
        const session = openProgram({
          ...given,
          clock,
          random: dice(world.seed, "client", client),
          transport: this.transport(process, client),
          http: () => Promise.reject(new Error("no HTTP here")),
        });
        return watchSettling(session, () => world.observe({ kind: "settled", at: world.scheduler.now, client }));
      },
    }).then(
      (agent) => agent.stopped.then(() => this.ended(process)),
      (error: unknown) => world.violated("REL-I16", `agent ${client} did not start: ${String(error)}`),
    );
  }

  /** Its own end: fenced, refused or stopped. A supervisor starts the newest again. */
  private ended(process: Process): void {
    const isNewest = process === this.process;
    this.end(process, false);
    if (isNewest) this.world.later(1_000, () => this.start());
  }

  private end(process: Process, isSilent: boolean): void {
    if (!process.isAlive) return;
    process.kill();
    const { world } = this;
    for (const connection of world.network.of(this.path))
      if (connection.client === process) connection.processEnded("client", isSilent);
    world.observe({ kind: "clientEnded", at: world.scheduler.now, client: process.name });
  }

  private begins(process: Process, command: string): boolean {
    const { world, trap } = this;
    if (trap === "afterClaim" && process === this.process) {
      this.trap = undefined;
      this.crash(process, "agentCrashAfterClaim");
      return false;
    }
    world.observe({ kind: "commandEffect", at: world.scheduler.now, command });
    return true;
  }

  private crash(process: Process, fault: "agentCrashBeforeClaim" | "agentCrashAfterClaim"): void {
    const { world } = this;
    world.effect(fault);
    this.end(process, false);
    world.later(500, () => this.start());
  }

  private transport(process: Process, client: string) {
    const { world } = this;
    const watched = watchedTransport({
      client,
      serverView: serverView(this.plan.name),
      process,
      path: this.path,
      network: world.network,
      now: () => world.scheduler.now,
      observe: (observation) => world.observe(observation),
      because: () => undefined,
    });
    return {
      ...watched,
      open: (...given: Parameters<typeof watched.open>) => {
        const socket = watched.open(...given);
        return {
          close: socket.close,
          send: (frame: string) => {
            if (this.trap === "beforeClaim" && process === this.process && frame.includes('"command.started"')) {
              this.trap = undefined;
              this.crash(process, "agentCrashBeforeClaim");
            }
            if (process.isAlive) socket.send(frame);
          },
        };
      },
    };
  }

  private openFolder(process: Process): StateFolder {
    const { folder, world } = this;
    const chance = dice(world.seed, "disk", process.name);
    /** Durable a little later, or never where the process ends before. */
    const write = (change: () => void): Promise<void> =>
      new Promise((resolve) => {
        process.arrive(world.scheduler.now + chance.integer(0, diskMsMax), () => {
          change();
          resolve();
        });
      });
    return {
      path: this.plan.name,
      get agent() {
        return folder.agent;
      },
      get inbox() {
        return folder.inbox;
      },
      storeAgent: (agent) =>
        write(() => {
          if (agent !== folder.agent) folder.inbox = undefined;
          folder.agent = agent;
        }),
      storeInbox: (cursor) =>
        write(() => {
          folder.inbox = { ...cursor };
        }),
      isOurs: () => true,
      release() {},
    };
  }
}
