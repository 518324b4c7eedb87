/**
 * One running agent: session, inbox, commands and executor, wired.
 *
 * Life cycle: folder locked → session opens and tells who we are → the identity is stored → the inbox is
 * obeyed → … → one end, in this order: no more orders, programs ended, everything published decided, session
 * left, folder released. The server's absence ends nothing; being fenced or refused, the loss of the state
 * folder, the program's own end, and `stop` do.
 * Invariant: `stopped` resolves once, and then nothing of the agent is left.
 */
import { hostname } from "node:os";
import type { PublisherSession, PublisherSessionOptions } from "@holdfast/client/publisher";
import type { ControlMethods } from "@holdfast/control/contract";
import { streams } from "@holdfast/control/names";
import { type AgentIdentity, type Clock, type HelloAgent, type Random, uuidv7 } from "@holdfast/protocol";
import { Commands } from "./commands.ts";
import { Inbox, type Order } from "./inbox.ts";
import { type AgentOptions, checkOptions, socketUrl } from "./options.ts";
import type { Executor, Office } from "./programs/executor.ts";
import type { StateFolder } from "./state/folder.ts";
import { Threads } from "./threads/threads.ts";

/** How often the state folder is looked at. */
export const folderCheckMs = 5_000;
/** How long the end waits for what was published to be decided, and for the session to leave. */
export const flushMsMax = 2_000;
export const leaveMsMax = 2_500;

export interface AgentEnd {
  /** `stopped`: by us or by the program's end. `fenced`: a newer process took over. `refused`: by the server. */
  readonly reason: "stopped" | "fenced" | "refused";
  /** One sentence for the person who started it. */
  readonly message: string;
}

export interface RunningAgent {
  /** Resolves once, when nothing of the agent is left. Never rejects. */
  readonly stopped: Promise<AgentEnd>;
  /** Polite end, ≤ 10 s in all. Idempotent. */
  stop(reason: string): Promise<void>;
  /** The caller knows that the server is there again (a person started it): no need to wait for the next attempt. */
  serverReturned(): void;
}

/** What the agent takes from the outside world. */
export interface AgentPorts {
  readonly createSession: (options: PublisherSessionOptions) => PublisherSession;
  /** Makes what executes; `exited` is for a program whose end is the agent's, `office` for what it asks the server. */
  readonly createExecutor: (options: AgentOptions, exited: (message: string) => void, office: Office) => Executor;
  /** Opens the folder of {@link AgentOptions.state}. Rejects with an `AgentStartError`. */
  readonly openState: (path: string) => Promise<StateFolder>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Rejects with an `AgentStartError` where it cannot start; after that, everything is told by `stopped`. */
export async function startAgent(options: AgentOptions, ports: AgentPorts): Promise<RunningAgent> {
  checkOptions(options);
  const state = await ports.openState(options.state);
  try {
    return new Agent(options, ports, state);
  } catch (error) {
    state.release();
    throw error;
  }
}

class Agent implements RunningAgent {
  readonly stopped: Promise<AgentEnd>;
  private readonly options: AgentOptions;
  private readonly clock: Clock;
  private readonly state: StateFolder;
  private readonly executor: Executor;
  private readonly session: PublisherSession;
  private readonly threads: Threads;
  private readonly commands: Commands;
  private readonly inbox: Inbox;
  private readonly process: string;
  private readonly stopListening: () => void;
  private generation: number | undefined;
  /** The agent whose inbox we obey. */
  private obeyed: string | undefined;
  private check: unknown;
  private ending: Promise<void> | undefined;
  private tell: (end: AgentEnd) => void = () => {};

  constructor(options: AgentOptions, ports: AgentPorts, state: StateFolder) {
    const { clock } = ports;
    const { log } = options;
    this.options = options;
    this.clock = clock;
    this.state = state;
    this.stopped = new Promise((resolve) => {
      this.tell = resolve;
    });
    this.process = uuidv7(clock.now(), ports.random.bytes(10));
    const office: Office = {
      call: <Name extends keyof ControlMethods & string>(method: Name, params: ControlMethods[Name]["params"]) =>
        this.session.call(method, params) as Promise<ControlMethods[Name]["result"]>,
      signal: (thread, signal, data) => this.session.signal(streams.thread(thread), signal, data),
    };
    this.executor = ports.createExecutor(options, (message) => void this.end("stopped", message), office);
    this.commands = new Commands({
      clock,
      log,
      concurrency: this.executor.concurrency ?? 1,
      run: (command) => this.executor.run(command),
      interrupt: (command) => this.executor.interrupt(command),
    });
    this.session = ports.createSession(this.sessionOptions());
    this.threads = new Threads(this.session, clock, log, this.executor);
    this.inbox = new Inbox({ session: this.session, state, clock, log, act: (order) => this.obey(order) });
    this.stopListening = this.session.onChange(() => this.look());
    this.watch();
  }

  stop(reason: string): Promise<void> {
    return this.end("stopped", `The agent was stopped: ${reason}.`);
  }

  serverReturned(): void {
    if (this.ending === undefined) this.session.reconnect();
  }

  private sessionOptions(): PublisherSessionOptions {
    const { server, key, log } = this.options;
    return {
      url: () => socketUrl(typeof server === "string" ? server : server()),
      ...(key === undefined ? {} : { getToken: () => Promise.resolve(key) }),
      clientName: "holdfast-agent",
      agent: () => this.hello(),
      onAgent: (identity) => void this.identified(identity),
      onIdentityChanged: () => log.warn("agent.identity.changed", { agent: this.state.agent }),
    };
  }

  private hello(): HelloAgent {
    const { name, kind } = this.options;
    const inbox = this.inbox.cursor;
    return {
      ...(this.state.agent === undefined ? {} : { id: this.state.agent }),
      name,
      kind,
      host: hostname().slice(0, 200),
      capabilities: [...this.executor.capabilities],
      process: this.process,
      ...(inbox === undefined ? {} : { inbox }),
      open: this.commands.open,
    };
  }

  /** OP-7: who we are, as the server says; stored before anything is done in that name. */
  private async identified({ id, name, generation }: AgentIdentity): Promise<void> {
    this.generation = generation;
    if (this.obeyed === id) return;
    this.obeyed = id;
    try {
      if (this.state.agent !== id) await this.state.storeAgent(id);
    } catch (error) {
      this.options.log.error("agent.identity.unstored", { folder: this.state.path, error });
      await this.end("stopped", `The agent's identity cannot be stored in ${this.state.path}: ${String(error)}`);
      return;
    }
    this.options.log.info("agent.identified", { agent: id, agentName: name, generation });
    if (this.obeyed === id && this.ending === undefined) this.inbox.open(id);
  }

  private obey(order: Order): void {
    if ("generation" in order.data && order.data.generation !== this.generation) return;
    switch (order.event) {
      case "command.dispatched":
        this.commands.dispatched(order.data, this.threads.get(order.data.thread));
        return;
      case "command.interrupted":
        this.commands.interrupt(order.data.command);
        return;
      case "terminal.open":
        this.executor.openTerminal(this.threads.get(order.data.thread), sizeOf(order.data));
        return;
      case "terminal.input":
        this.executor.input(this.threads.get(order.data.thread), Buffer.from(order.data.data, "base64"));
        return;
      case "terminal.resized":
        this.executor.resize(this.threads.get(order.data.thread), sizeOf(order.data));
        return;
      default:
        // A newer server may say more than we know (TR-5).
        this.options.log.debug("agent.order.unknown", { order });
    }
  }

  private look(): void {
    const { state } = this.session;
    if (state.kind !== "stopped" || this.ending !== undefined) return;
    if (state.reason === "fenced") {
      void this.end("fenced", "A newer process of this agent took over.");
      return;
    }
    const advice = `check the key; if the server was set up anew, remove ${this.state.path} to enrol as a new agent`;
    void this.end("refused", `The server refused this agent (${state.reason}): ${advice}.`);
  }

  /** Without its folder nothing can be stored, so nothing may be done. */
  private watch(): void {
    this.check = this.clock.after(folderCheckMs, () => {
      if (this.state.isOurs()) this.watch();
      else void this.end("stopped", `The state folder ${this.state.path} was removed or replaced.`);
    });
  }

  private end(reason: AgentEnd["reason"], message: string): Promise<void> {
    this.ending ??= this.windDown({ reason, message });
    return this.ending;
  }

  private async windDown(end: AgentEnd): Promise<void> {
    const { log } = this.options;
    log.info("agent.stopping", { ...end });
    this.clock.cancel(this.check);
    this.stopListening();
    this.inbox.close();
    this.commands.stop();
    await this.attempt("programs", this.executor.stop());
    // A session that has stopped decides nothing more.
    if (end.reason === "stopped") await this.attempt("flush", this.within(flushMsMax, this.threads.decided()));
    await this.attempt("leave", this.within(leaveMsMax, this.session.close()));
    this.threads.close();
    this.state.release();
    this.tell(end);
  }

  /** A step of the end that fails must not keep the others. */
  private async attempt(step: string, done: Promise<unknown>): Promise<void> {
    try {
      if ((await done) === false) this.options.log.warn("agent.end.late", { step });
    } catch (error) {
      this.options.log.error("agent.end.failed", { step, error });
    }
  }

  /** False where `ms` passed first. */
  private async within(ms: number, done: Promise<unknown>): Promise<boolean> {
    let timer: unknown;
    const late = new Promise<boolean>((resolve) => {
      timer = this.clock.after(ms, () => resolve(false));
    });
    try {
      return await Promise.race([done.then(() => true), late]);
    } finally {
      this.clock.cancel(timer);
    }
  }
}

function sizeOf({ cols, rows }: { readonly cols: number; readonly rows: number }): { cols: number; rows: number } {
  return { cols, rows };
}
