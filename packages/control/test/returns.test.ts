/** What becomes of commands when their agent comes back, and that every one of them ends once. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { returnCheckMs } from "../src/returns.ts";
import {
  type Control,
  codes,
  type FakeAgent,
  finished,
  foldFleet,
  openControl,
  output,
  started,
} from "./support/control.ts";

const endsOf = async (control: Control, thread: string) =>
  (await control.events(`thread/${thread}`))
    .filter(({ event }) => event === "command.finished")
    .map(({ data }) => data);
const handedOver = async (control: Control, agent: FakeAgent) =>
  (await control.events(agent.inbox)).map(({ data }) => data["command"]);

async function withCommand() {
  const control = await openControl();
  const agent = await control.hello();
  const { command, thread } = await control.call("command.send", { agent: agent.id, text: "run" });
  return { control, agent, command, thread };
}

describe("on return", () => {
  it("[F58] a started command that is not in `open` ends as lost, after 30 s", async () => {
    const { control, agent, command, thread } = await withCommand();
    await control.publish(agent, thread, [started(command)]);
    await control.hello({ id: agent.id });
    expect(await endsOf(control, thread)).toEqual([]);
    control.clock.now += returnCheckMs - 1;
    await control.task("control.sweep");
    expect(await endsOf(control, thread)).toEqual([]);
    control.clock.now += 1;
    expect(await control.task("control.due")).toMatchObject({ workspaces: ["default"] });
    await control.task("control.sweep");
    expect(await endsOf(control, thread)).toMatchObject([
      { command, outcome: "lost", durationMs: returnCheckMs, reason: "the agent came back without it" },
    ]);
    expect(await control.fleet()).toMatchObject([{ command: null, activity: "idle" }]);
    expect(await control.task("control.due")).toEqual({ workspaces: [], inMs: null });
  });

  it("[I8] and by the clock that is, where the one before it was an hour fast", async () => {
    const { control, agent, command, thread } = await withCommand();
    await control.publish(agent, thread, [started(command)]);
    control.clock.now += 3_600_000;
    await control.hello({ id: agent.id });
    control.clock.now -= 3_600_000;
    expect(await control.task("control.due")).toMatchObject({ workspaces: ["default"] });
    await control.task("control.sweep");
    expect(await control.task("control.due")).toEqual({ workspaces: [], inMs: returnCheckMs });
    control.clock.now += returnCheckMs;
    await control.task("control.sweep");
    expect(await endsOf(control, thread)).toMatchObject([{ command, outcome: "lost" }]);
  });

  it("[F58] or after the agent's first publish, which may still bring its end", async () => {
    const { control, agent, command, thread } = await withCommand();
    const next = await control.call("command.send", { agent: agent.id, text: "next" });
    await control.publish(agent, thread, [started(command)]);
    const back = await control.hello({ id: agent.id, process: agent.process });
    expect(codes(await control.publish(back, thread, [output(thread, "x", command), finished(command)]))).toEqual([
      null,
      null,
    ]);
    expect(await endsOf(control, thread)).toMatchObject([{ outcome: "completed" }]);
    expect(await handedOver(control, back)).toEqual([command, next.command]);

    await control.publish(back, next.thread, [started(next.command)]);
    const again = await control.hello({ id: agent.id });
    await control.publish(again, thread, [output(thread, "y")]);
    expect(await endsOf(control, next.thread)).toMatchObject([{ outcome: "lost" }]);
  });

  it("a started command in `open` goes on", async () => {
    const { control, agent, command, thread } = await withCommand();
    await control.publish(agent, thread, [started(command)]);
    const back = await control.hello({ id: agent.id, process: agent.process, open: [command, "never heard of"] });
    await control.publish(back, thread, [output(thread, "x", command)]);
    control.clock.now += 2 * returnCheckMs;
    await control.task("control.sweep");
    expect(codes(await control.publish(back, thread, [finished(command)]))).toEqual([null]);
  });

  it("the newest `open` decides, and coming back again and again puts nothing off", async () => {
    const { control, agent, command, thread } = await withCommand();
    await control.publish(agent, thread, [started(command)]);
    for (let turn = 0; turn < 3; turn += 1) {
      await control.hello({ id: agent.id, process: agent.process });
      control.clock.now += returnCheckMs / 3;
    }
    await control.task("control.sweep");
    expect(await endsOf(control, thread)).toMatchObject([{ outcome: "lost" }]);

    const second = await control.call("command.send", { thread, text: "again" });
    await control.publish(agent, thread, [started(second.command)]);
    await control.hello({ id: agent.id, process: agent.process });
    await control.hello({ id: agent.id, process: agent.process, open: [second.command] });
    control.clock.now += 2 * returnCheckMs;
    await control.task("control.sweep");
    expect(await endsOf(control, thread)).toHaveLength(1);
  });

  it("[PB-5] one that was never started is handed over again, told once, and claimed once", async () => {
    const { control, agent, command, thread } = await withCommand();
    const waiting = await control.call("command.send", { agent: agent.id, text: "waits" });
    const back = await control.hello({ id: agent.id });
    expect(await handedOver(control, back)).toEqual([command, command]);
    expect((await control.events(`thread/${thread}`)).map(({ event }) => event)).toEqual([
      "command.queued",
      "command.dispatched",
    ]);
    expect(codes(await control.publish(back, thread, [started(command), started(command)]))).toEqual([
      null,
      "conflict",
    ]);
    await control.publish(back, thread, [finished(command)]);
    expect(await handedOver(control, back)).toEqual([command, command, waiting.command]);
  });

  it("one that the agent has and did not start yet stays with it", async () => {
    const { control, agent, command } = await withCommand();
    const back = await control.hello({ id: agent.id, process: agent.process, open: [command] });
    expect(await handedOver(control, back)).toEqual([command]);
  });

  it("[F58] interactive terminals end with the process that held them, and with no other", async () => {
    const control = await openControl();
    const agent = await control.hello();
    const { thread } = await control.call("thread.create", { agent: agent.id, kind: "terminal" });
    await control.hello({ id: agent.id, process: agent.process });
    expect(await control.events(`thread/${thread.id}`)).toEqual([]);
    const back = await control.hello({ id: agent.id });
    expect(await control.events(`thread/${thread.id}`)).toEqual([
      { event: "terminal.closed", data: { terminal: thread.id, reason: "the agent was started anew" } },
    ]);
    await control.hello({ id: agent.id });
    expect(await control.events(`thread/${thread.id}`)).toHaveLength(1);
    expect(back.generation).toBe(2);
  });
});

/**
 * A model of agents' machines: what a process received, claimed, runs, and has not yet said. It lives outside
 * the store, dies with everything in it, and only ever learns what its inbox and its verdicts tell.
 */
class Machine {
  readonly control: Control;
  readonly runs: Map<string, number>;
  agent: FakeAgent;
  alive = true;
  /** Inbox events applied; durable, as OP-8 asks. */
  cursor = 0;
  received = new Map<string, string>();
  running = new Map<string, string>();
  /** Ended here, not yet told. */
  ended = new Map<string, string>();

  constructor(control: Control, agent: FakeAgent, runs: Map<string, number>) {
    this.control = control;
    this.agent = agent;
    this.runs = runs;
  }

  /** One event at a time, so that a second delivery can come after anything. */
  async readInbox(): Promise<boolean> {
    const event = (await this.control.events(this.agent.inbox))[this.cursor];
    if (event === undefined) return false;
    this.cursor += 1;
    const { command, thread } = event.data as { command: string; thread: string };
    if (!this.running.has(command) && !this.ended.has(command)) this.received.set(command, thread);
    return true;
  }

  async claim(): Promise<void> {
    for (const [command, thread] of this.received) {
      this.received.delete(command);
      const [verdict] = await this.control.publish(this.agent, thread, [started(command)]);
      if (verdict !== null) continue;
      this.runs.set(command, (this.runs.get(command) ?? 0) + 1);
      this.running.set(command, thread);
    }
  }

  finish(): void {
    for (const [command, thread] of this.running) this.ended.set(command, thread);
    this.running.clear();
  }

  async tell(): Promise<void> {
    for (const [command, thread] of this.ended) {
      this.ended.delete(command);
      await this.control.publish(this.agent, thread, [finished(command)]);
    }
  }

  /** The process dies with all that it knew; its cursor is on disk. */
  die(): void {
    this.alive = false;
    this.received.clear();
    this.running.clear();
    this.ended.clear();
  }

  async return(): Promise<void> {
    const open = [...this.received.keys(), ...this.running.keys(), ...this.ended.keys()];
    const process = this.alive ? { process: this.agent.process } : {};
    this.agent = await this.control.hello({ id: this.agent.id, open, ...process });
    this.alive = true;
  }
}

const which = fc.nat(1);
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      which,
      expiresIn: fc.constantFrom(undefined, 1_000, 40_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("readInbox" as const, "claim" as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("finish" as const, "tell" as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("die" as const, "return" as const, "offline" as const), which }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 999, 15_000, 31_000) }),
  },
);

type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;
const on = (...kinds: ("readInbox" | "claim" | "finish" | "tell" | "die" | "return")[]): Action[] =>
  kinds.map((kind) => ({ kind, which: 0 }) as Action);
const send: Action = { kind: "send", which: 0, expiresIn: undefined };
/** Handed over twice, claimed once, and the second delivery is read by another process. */
const secondDeliveryAfterDeath = [send, ...on("return", "readInbox", "claim", "die", "return", "readInbox", "claim")];
/** Claimed, gone, back without it, and silent for longer than its return may take. */
const judgedByTime: Action[] = [send, ...on("readInbox", "claim", "die", "return"), { kind: "wait", ms: 31_000 }];

describe("every command ends once", () => {
  it("[I8] whatever agents do, each accepted command reaches one end, and runs at most once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 60, size: "max" }), async (actions) => {
        const control = await openControl();
        const runs = new Map<string, number>();
        const machines = [
          new Machine(control, await control.hello({ name: "one" }), runs),
          new Machine(control, await control.hello({ name: "two", capabilities: ["concurrency:2"] }), runs),
        ];
        const sent: { command: string; thread: string }[] = [];
        const act = async (step: (typeof actions)[number]): Promise<void> => {
          if (step.kind === "wait") {
            control.clock.now += step.ms;
            await control.task("control.sweep");
            return;
          }
          const machine = machines[step.which];
          if (machine === undefined) return;
          if (step.kind === "send") {
            const { expiresIn } = step;
            const timing = expiresIn === undefined ? {} : { expiresIn };
            sent.push(await control.call("command.send", { agent: machine.agent.id, text: "x", ...timing }));
          } else if (step.kind === "offline") {
            const { id, connection } = machine.agent;
            const change = { workspace: "default", id, from: [connection], to: "offline" };
            await control.task("control.presence", { changes: [change] });
          } else if (step.kind === "return") await machine.return();
          else if (machine.alive) await machine[step.kind]();
        };
        for (const step of actions) {
          await act(step);
          expect(foldFleet(await control.events("fleet"))).toEqual(await control.fleet());
        }

        // All agents return, and time passes.
        for (let round = 0; round <= sent.length; round += 1) {
          for (const machine of machines) {
            if (round === 0 || !machine.alive) await machine.return();
            while (await machine.readInbox());
            await machine.claim();
            machine.finish();
            await machine.tell();
          }
          control.clock.now += returnCheckMs;
          await control.task("control.sweep");
        }
        for (const { command, thread } of sent) {
          const own = (await control.events(`thread/${thread}`)).filter(({ data }) => data["command"] === command);
          expect(own.filter(({ event }) => event === "command.finished")).toHaveLength(1);
          expect(own.at(-1)?.event).toBe("command.finished");
          expect(own.filter(({ event }) => event === "command.started").length).toBe(runs.get(command) ?? 0);
          expect(runs.get(command) ?? 0).toBeLessThanOrEqual(1);
          if (own.at(-1)?.data["outcome"] === "expired") expect(runs.has(command)).toBe(false);
        }
        expect(await control.fleet()).toMatchObject([
          { command: null, queued: 0 },
          { command: null, queued: 0 },
        ]);
      }),
      { numRuns: 60, examples: [[secondDeliveryAfterDeath], [judgedByTime]] },
    );
  });
});
