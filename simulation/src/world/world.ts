/**
 * The simulated world of one run: nodes over one database, a network, an issuer, people and agents, and the judge.
 *
 * Life: made of a plan → the plan's steps happen while the workload goes on → healed → converged or not → judged and
 * given back. Invariant: everything that happens is an event of the one scheduler, and everything that can be seen
 * of it is told to the judge in the same moment. It decides nothing: the plan has been drawn.
 */
import type { ProtocolError } from "@holdfast/protocol";
import type { Log } from "@holdfast/server";
import { type ConnectionLimits, defaultConnectionLimits } from "../../../packages/server/src/connectionLimits.ts";
import { defaultLifetimes } from "../../../packages/server/src/store/lifetimes.ts";
import { AgentActor } from "../actors/agentActor.ts";
import { boardFold } from "../actors/content.ts";
import { Person } from "../actors/person.ts";
import { serverView } from "../actors/watch.ts";
import { type Dice, dice } from "../core/dice.ts";
import type { Process } from "../core/process.ts";
import { makeScheduler, type Scheduler, type Turns } from "../core/scheduler.ts";
import { makeTrace, type Trace } from "../core/trace.ts";
import type { FaultClass } from "../cover/faults.ts";
import { createJudge, type Judge } from "../judge/judge.ts";
import type { Observation } from "../judge/observation.ts";
import { type InvariantId, Violation } from "../judge/violation.ts";
import type { PersonPlan } from "../plan/cast.ts";
import type { Plan } from "../plan/plan.ts";
import { boardStream } from "./app.ts";
import { Browser } from "./browser.ts";
import { type BusWeather, makeBus, type SimulatedBus } from "./bus.ts";
import { type Database, type Image, openDatabase } from "./database.ts";
import { type Issuer, makeIssuer } from "./issuer.ts";
import { startMeter } from "./meter.ts";
import { Network } from "./network.ts";
import { type CrashPoint, openNodeStore, type StoreWeather } from "./nodeStore.ts";
import { type CommitWatch, watchCommits } from "./observeCommits.ts";
import { ServerProcess } from "./serverProcess.ts";
import type { Neighbour, Surroundings } from "./surroundings.ts";

/** The wall clock's start, the same as the processes'. */
const epochMs = 1_800_000_000_000;
/** The longest that a frame may be under way: to a page that sleeps, over a path that is shut. */
const underWayMsMax = 170_000;

export class World implements Surroundings {
  readonly seed: number;
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly judge: Judge;
  readonly network: Network;
  readonly issuer: Issuer;
  readonly database: Database;
  readonly storeWeather: StoreWeather;
  readonly busWeather: BusWeather;
  readonly bus: SimulatedBus;
  readonly commits: CommitWatch;
  readonly nodes: readonly ServerProcess[];
  readonly people: readonly Person[];
  readonly agents: readonly AgentActor[];
  /** Times that each class of faults took effect. */
  readonly effects = new Map<FaultClass, number>();
  /** Protocol states in which it did: `state×fault`. */
  readonly pairs = new Map<string, number>();
  /** An older image of the store, if one was made. */
  image: Image | undefined;
  private restores = 0;
  private readonly browsers = new Map<string, Browser>();
  private heard: (observation: Observation) => void = hearNothing;
  /** The first, which ends the run after the event in which it was seen. */
  violation: Violation | undefined;

  /** `heard` is told of each observation beside the judge. */
  static async open(plan: Plan, turns: Turns, keepsLines: boolean, heard = hearNothing): Promise<World> {
    const world = new World(plan, turns, await openDatabase(), keepsLines);
    world.heard = heard;
    return world;
  }

  private constructor(plan: Plan, turns: Turns, database: Database, keepsLines: boolean) {
    const { seed } = plan;
    this.seed = seed;
    this.plan = plan;
    this.database = database;
    this.scheduler = makeScheduler(seed, (step) =>
      turns(() => {
        if (this.violation !== undefined) throw this.violation;
        return step();
      }),
    );
    this.trace = makeTrace(() => this.scheduler.now, keepsLines);
    this.judge = createJudge({
      underWayMsMax,
      // Thrown here, inside whatever reported it, it would be the code under test that has to deal with it.
      onViolation: (violation) => {
        this.violation ??= violation;
      },
      foldOf: (_workspace, stream) => (stream === boardStream ? boardFold : undefined),
    });
    this.issuer = makeIssuer();
    this.storeWeather = {
      latencyMs: plan.storeLatencyMs,
      isDown: false,
      hangsUntil: 0,
      isFull: false,
      unreadable: undefined,
      feltAt: Number.NEGATIVE_INFINITY,
      failedAt: Number.NEGATIVE_INFINITY,
      unknownCommits: [],
      crash: undefined,
    };
    this.busWeather = { isSilent: false, ...plan.bus };
    this.bus = makeBus(this.scheduler, this.busWeather, this.dice("bus"), (fault) => this.effect(fault));
    this.commits = watchCommits({
      database,
      now: () => this.scheduler.now,
      observe: (observation) => this.observe(observation),
      violated: (invariant, message) => this.violated(invariant, message),
      agentOwner: (id) => {
        const agent = this.agents.find((one) => one.id === id);
        if (agent === undefined) return undefined;
        const { isConnected, isNodeSilent } = agent;
        return { client: serverView(agent.plan.name), isConnected, isNodeSilent };
      },
    });
    this.network = new Network({
      seed,
      scheduler: this.scheduler,
      trace: this.trace,
      route: (chance) => {
        const listening = this.nodes.filter((node) => node.isAlive && node.isListening);
        return listening.length === 0 ? undefined : chance.pick(listening);
      },
    });
    this.nodes = plan.nodes.map(({ name, skewMs }) => this.makeNode(name, skewMs));
    for (const node of this.nodes) node.start();
    this.people = plan.people.map((person) => new Person(this, person, this.browserOf(person)));
    this.agents = plan.agents.map((agent) => new AgentActor(this, agent));
    for (const agent of this.agents) agent.start();
    const { scheduler, storeWeather, nodes } = this;
    const connections = () => this.heldConnections();
    startMeter({ scheduler, storeWeather, nodes, connections, observe: (observation) => this.observe(observation) });
    for (const { skewMs } of [...plan.nodes, ...plan.people]) if (skewMs !== 0) this.effect("clockSkew");
  }

  dice(...names: readonly (string | number)[]): Dice {
    return dice(this.seed, ...names);
  }

  /** Whether every node's clock is as right as it was planned. */
  get areClocksRight(): boolean {
    return this.nodes.every((node) => node.process.skewMs === node.skewMs);
  }

  /** ms since 1970 where clocks are right. */
  trueClock(): number {
    return epochMs + this.scheduler.now;
  }

  observe(observation: Observation): void {
    this.heard(observation);
    this.judge.observe(observation);
  }

  /** A fault of this class took effect, while `who` (if anybody) was in its present state. */
  effect(fault: FaultClass, who?: string): void {
    this.effects.set(fault, (this.effects.get(fault) ?? 0) + 1);
    for (const state of this.statesOf(who)) {
      const pair = `${state} × ${fault}`;
      this.pairs.set(pair, (this.pairs.get(pair) ?? 0) + 1);
    }
    this.trace.note("faults", who ?? "world", fault);
  }

  /** OP-5: the page drops everything of the former user, and loads itself anew, now or a while later. */
  identityChanged(person: Neighbour): void {
    this.effect("identityChanged", person.plan.name);
    const { plan, incarnations } = person;
    const lingersMs = this.dice("lingering", plan.name, incarnations).pick([0, 5_000]);
    const leave = (): void => {
      if (person.incarnations !== incarnations) return;
      person.end(false);
      this.later(0, () => person.restart());
    };
    if (lingersMs === 0) leave();
    else this.later(lingersMs, leave);
  }

  /** What the server could not take of a client's: only a breach of ours would make it. */
  problem(client: string, problem: ProtocolError): void {
    this.trace.note("server", client, `problem ${problem.code} ${problem.message}`);
  }

  /** An invariant that the simulation sees broken itself, since no observation could say it. */
  violated(invariant: InvariantId, message: string): void {
    this.violation ??= new Violation(invariant, message, { at: this.scheduler.now });
  }

  /** The world's own doing, in so many ms. */
  later(ms: number, run: () => void): void {
    this.scheduler.at(this.scheduler.lane("plan"), this.scheduler.now + ms, run);
  }

  async backUp(): Promise<void> {
    this.image = await this.database.image();
  }

  /** Puts the image back. `isRenewed`: as `holdfast restore` does, under new epochs; else as a replica takes over (ST-15). */
  async restore(isRenewed: boolean): Promise<void> {
    if (this.image === undefined) return;
    this.restores += 1;
    await this.database.restore(this.image, isRenewed ? `restored-${this.restores}-` : undefined);
    await this.commits.rolledBack();
  }

  /** The browser of which this page is a tab, made with its first one. */
  private browserOf({ browser: name, latencyMs, jitterMs }: PersonPlan): Browser | undefined {
    if (name === undefined) return undefined;
    const browser = this.browsers.get(name) ?? new Browser(this, name, this.network.path(name, latencyMs, jitterMs));
    this.browsers.set(name, browser);
    return browser;
  }

  person(name: string): Person | undefined {
    return this.people.find(({ plan }) => plan.name === name);
  }

  agent(name: string): AgentActor | undefined {
    return this.agents.find(({ plan }) => plan.name === name);
  }

  /** A person's or an agent's: what has a path and a process. */
  machine(name: string): Person | AgentActor | undefined {
    return this.person(name) ?? this.agent(name);
  }

  get machines(): readonly (Person | AgentActor)[] {
    return [...this.people, ...this.agents];
  }

  async close(): Promise<void> {
    for (const node of this.nodes) node.kill(true);
    for (const { process } of this.machines) process.kill();
    await this.database.close();
  }

  private *heldConnections(): Iterable<{ readonly who: string; readonly unsentBytes: number }> {
    for (const { path, unsentBytes } of this.network.connections) yield { who: path.name, unsentBytes };
  }

  private makeNode(name: string, skewMs: number): ServerProcess {
    const node: ServerProcess = new ServerProcess({
      seed: this.seed,
      scheduler: this.scheduler,
      name,
      issuer: this.issuer,
      skewMs,
      limits: limitsOf(this.plan),
      lifetimes: {
        ...defaultLifetimes,
        recordsMs: this.plan.recordsMs ?? defaultLifetimes.recordsMs,
        workMs: this.plan.workMs ?? defaultLifetimes.workMs,
      },
      openStore: (process) => this.openStore(node, process),
      openBus: (process) => (this.plan.nodes.length > 1 ? this.bus.open(process) : undefined),
      logOf: (process) => this.logOf(process),
      verdictRefused: () => this.effect("issuerUnreachable"),
      started: () => this.trace.note("supervisor", name, "listens"),
    });
    return node;
  }

  private openStore(node: ServerProcess, process: Process) {
    return openNodeStore({
      scheduler: this.scheduler,
      process,
      dice: this.dice("store", process.name),
      random: this.dice("engine", process.name),
      trace: this.trace,
      weather: this.storeWeather,
      database: this.database,
      isSeparate: this.plan.isDatabaseSeparate,
      committed: (batch, result) => {
        const watched = this.commits.committed(batch, result);
        node.committedAt = this.scheduler.now;
        return watched;
      },
      felt: (fault) => {
        const { now } = this.scheduler;
        if (fault !== "unreadableTable") this.storeWeather.feltAt = now;
        if (fault === "storeError" || fault === "storeHang" || fault === "diskFull") this.storeWeather.failedAt = now;
        this.effect(fault);
      },
      crash: (point) => this.crashAt(node, point),
    });
  }

  private crashAt(node: ServerProcess, point: CrashPoint): void {
    const faults = {
      before: "crashBeforeCommit",
      between: "crashBetweenCommitAndAnswer",
      answering: "crashAmongAnswers",
    } as const;
    this.effect(faults[point]);
    if (point === "answering") {
      node.writesLeft = this.dice("writes", this.scheduler.now).integer(0, 6);
      return;
    }
    node.kill(false);
    node.restartIn(500);
  }

  private logOf(node: string): Log {
    const write =
      (level: "debug" | "info" | "warn" | "error") =>
      (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
        this.trace.note(node, "log", `${level} ${event}${causeOf(fields["error"])}`);
        this.observe({ kind: "logged", at: this.scheduler.now, node, level, event, fields });
      };
    return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  }

  private *statesOf(who: string | undefined): Iterable<string> {
    const person = who === undefined ? undefined : this.person(who);
    if (person !== undefined) yield person.session.state.kind;
    else for (const { session, process } of this.people) if (process.isAlive) yield session.state.kind;
  }
}

function limitsOf({ messages }: Plan): ConnectionLimits {
  if (messages === undefined) return defaultConnectionLimits;
  return { ...defaultConnectionLimits, messagesPerSecond: messages.perSecond, messagesBurst: messages.burst };
}

/** For the drawing: the error's first lines, without the paths of a stack. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return ` ${error.message}${causeOf(error.cause)}`;
}

function hearNothing(_observation: Observation): void {}
