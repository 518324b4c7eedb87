/**
 * The assistants of one process: each an agent of its own, with its own session, folder and key.
 *
 *   configure(list) ──new──► started ──changed──► its model is exchanged for the next answer; a new name: started anew
 *                                └──no longer listed──► stopped
 *
 * Changes are made one after the other, so a list that comes while the one before is being made waits for it, and only the
 * newest waits. An assistant that ends by itself (refused, fenced, its folder gone) is told by `ended` and started again by
 * the next list only. Invariant: an id has one agent at most.
 */
import type { AgentEnd, AgentPorts, RunningAgent } from "../agent.ts";
import { startAgent } from "../agent.ts";
import type { AgentLog } from "../log.ts";
import { type AnswerLimits, answerLimits } from "./answer.ts";
import { AssistantExecutor } from "./assistantExecutor.ts";
import type { ChatModel } from "./chatModel.ts";

/** One assistant as it is to be. */
export interface AssistantSettings<Model> {
  readonly id: string;
  readonly name: string;
  /** The agent's own folder. */
  readonly state: string;
  /** Its API key; absent in development mode. */
  readonly key: string | undefined;
  /** Compared as JSON. */
  readonly model: Model;
}

export interface AssistantsOptions<Model> {
  readonly server: string | (() => string);
  readonly log: AgentLog;
  readonly makeModel: (model: Model, assistant: string) => ChatModel;
  /** One ended without being asked to. */
  readonly ended: (id: string, end: AgentEnd) => void;
  readonly limits?: AnswerLimits;
}

export type AssistantPorts = Omit<AgentPorts, "createExecutor">;

interface Running<Model> {
  readonly agent: RunningAgent;
  settings: AssistantSettings<Model>;
  model: ChatModel;
}

export class Assistants<Model> {
  private readonly options: AssistantsOptions<Model>;
  private readonly ports: AssistantPorts;
  private readonly running = new Map<string, Running<Model>>();
  private wanted: readonly AssistantSettings<Model>[] | undefined;
  private changing: Promise<void> | undefined;

  constructor(options: AssistantsOptions<Model>, ports: AssistantPorts) {
    this.options = options;
    this.ports = ports;
  }

  /** Resolves when these assistants run, and no others; one that cannot start is logged, and the others go on. */
  configure(list: readonly AssistantSettings<Model>[]): Promise<void> {
    this.wanted = list;
    this.changing ??= this.change().finally(() => {
      this.changing = undefined;
    });
    return this.changing;
  }

  /** A person started the server: no need to wait for the next attempt. */
  serverReturned(): void {
    for (const { agent } of this.running.values()) agent.serverReturned();
  }

  /** Polite end of all; answers under way end as `interrupted`, what was written is kept. */
  stop(): Promise<void> {
    return this.configure([]);
  }

  private async change(): Promise<void> {
    for (let list = this.wanted; list !== undefined; list = this.wanted) {
      this.wanted = undefined;
      await Promise.all([...this.running.values()].map((one) => this.end(one, list)));
      await Promise.all(list.map((settings) => this.begin(settings)));
    }
  }

  private async end(one: Running<Model>, list: readonly AssistantSettings<Model>[]): Promise<void> {
    const next = list.find(({ id }) => id === one.settings.id);
    if (next !== undefined && isSameAgent(next, one.settings)) return;
    this.running.delete(one.settings.id);
    await one.agent.stop("its configuration changed");
  }

  private async begin(settings: AssistantSettings<Model>): Promise<void> {
    const one = this.running.get(settings.id);
    if (one === undefined) return this.start(settings);
    if (JSON.stringify(settings.model) !== JSON.stringify(one.settings.model))
      one.model = this.options.makeModel(settings.model, settings.id);
    one.settings = settings;
  }

  private async start(settings: AssistantSettings<Model>): Promise<void> {
    const { server, log, makeModel, limits = answerLimits } = this.options;
    const { id, name, state, key } = settings;
    const options = { server, name, kind: "assistant", cwd: ".", state, keepEnv: false, log } as const;
    const { clock, random } = this.ports;
    let model = makeModel(settings.model, id);
    try {
      const agent = await startAgent(key === undefined ? options : { ...options, key }, {
        ...this.ports,
        createExecutor: (_options, _exited, office) =>
          new AssistantExecutor({ model: () => model, limits, office, clock, random, log }),
      });
      const one: Running<Model> = {
        agent,
        settings,
        get model() {
          return model;
        },
        set model(next) {
          model = next;
        },
      };
      this.running.set(id, one);
      void agent.stopped.then((end) => {
        if (this.running.get(id) !== one) return;
        this.running.delete(id);
        this.options.ended(id, end);
      });
    } catch (error) {
      log.error("assistant.start.failed", { assistant: id, error });
    }
  }
}

/** What an agent cannot change while it lives. */
function isSameAgent(left: AssistantSettings<unknown>, right: AssistantSettings<unknown>): boolean {
  return left.name === right.name && left.state === right.state && left.key === right.key;
}
