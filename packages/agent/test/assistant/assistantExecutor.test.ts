/** An assistant as the server sees it: claims, typing, pieces, ends. */
import { expect, it, onTestFinished } from "vitest";
import { startAgent } from "../../src/agent.ts";
import { answerLimits } from "../../src/assistant/answer.ts";
import { AssistantExecutor, typingEachMs } from "../../src/assistant/assistantExecutor.ts";
import type { ChatModel, ChatTurn, ModelPart } from "../../src/assistant/chatModel.ts";
import { gatherMs, messageCharsMax } from "../../src/assistant/messageWriter.ts";
import { scriptedModel } from "../../src/assistant/scriptedModel.ts";
import { systemRandom } from "../../src/ports/system.ts";
import type { StateFolder } from "../../src/state/folder.ts";
import { FakeServer } from "../fakeSession.ts";
import { makeLog } from "../makeAgent.ts";
import { simClock } from "./simClock.ts";

async function start(makeModel: (clock: ReturnType<typeof simClock>) => ChatModel) {
  const clock = simClock();
  const server = new FakeServer();
  const asked: unknown[] = [];
  server.answer = async (method, params) => {
    asked.push({ method, params });
    return { items: [] };
  };
  const log = makeLog([]);
  const model = makeModel(clock);
  const options = {
    server: "http://127.0.0.1:1",
    name: "a",
    kind: "assistant",
    cwd: ".",
    state: "s",
    keepEnv: false,
    log,
  };
  const agent = await startAgent(options as Parameters<typeof startAgent>[0], {
    createSession: server.createSession,
    createExecutor: (_options, _exited, office) =>
      new AssistantExecutor({ model: () => model, limits: answerLimits, office, clock, random: systemRandom, log }),
    openState: async () => inMemory(),
    clock,
    random: systemRandom,
  });
  onTestFinished(async () => {
    void agent.stop("end of the test");
    await clock.advance(10_000);
  });
  server.welcome();
  await server.obeyed();
  const names = () => server.log.map(({ event, data }) => [event, data["command"]]);
  return { clock, server, agent, asked, names };
}

/** A disk would not wait for the test's clock. */
function inMemory(): StateFolder {
  const folder = {
    path: "memory",
    agent: undefined as string | undefined,
    inbox: undefined as StateFolder["inbox"],
    storeAgent: async (agent: string) => {
      folder.agent = agent;
    },
    storeInbox: async (inbox: NonNullable<StateFolder["inbox"]>) => {
      folder.inbox = inbox;
    },
    isOurs: () => true,
    release: () => {},
  };
  return folder;
}

const speaking = (...parts: readonly (ModelPart | { readonly waitMs: number })[]) => {
  const turns: (readonly ChatTurn[])[] = [];
  const make = (clock: ReturnType<typeof simClock>): ChatModel => ({
    async *answer(given, signal) {
      turns.push(given);
      for (const part of parts) {
        if ("waitMs" in part) {
          await new Promise<void>((done) => {
            clock.after(part.waitMs, done);
            signal.addEventListener("abort", () => done());
          });
        } else yield part;
      }
    },
  });
  return { make, turns };
};
const text = (said: string): ModelPart => ({ kind: "text", text: said });
const end: ModelPart = { kind: "end", usage: { inputTokens: 3, outputTokens: 4 } };

it("tells that it writes, gathers pieces, keeps the whole, and ends with what it cost", async () => {
  const { make } = speaking(text("Hel"), text("lo"), { waitMs: typingEachMs }, text(" you"), end);
  const { clock, server, names } = await start(make);
  server.dispatch("c1", "hi");
  await clock.advance(gatherMs);
  expect(server.signals).toEqual([
    { stream: "thread/thread-1", signal: "typing", data: { command: "c1", forMs: 8_000 } },
  ]);
  expect(server.of("text.delta").map(({ data }) => data["text"])).toEqual(["Hello"]);
  await clock.advance(typingEachMs);
  expect(names().map(([event]) => event)).toEqual([
    "command.started",
    "message.started",
    "text.delta",
    "text.delta",
    "message.finished",
    "command.finished",
  ]);
  const [whole] = server.of("message.finished");
  expect(whole).toMatchObject({ data: { text: "Hello you" }, keyframe: `message/${whole?.data["message"]}` });
  expect(server.of("command.finished")[0]?.data).toMatchObject({
    outcome: "completed",
    usage: { inputTokens: 3, outputTokens: 4 },
  });
  // Typing always ends.
  expect(server.signals.at(-1)?.data).toEqual({ command: "c1", forMs: 0 });
  expect(server.signals).toHaveLength(3);
});

it("keeps what was written when a person stops it", async () => {
  const { make } = speaking(text("half"), { waitMs: 50_000 }, text("never"), end);
  const { clock, server } = await start(make);
  server.dispatch("c1", "hi");
  await clock.advance(1_000);
  server.send({ event: "command.interrupted", data: { command: "c1", thread: "thread-1" } });
  await clock.advance(100);
  expect(server.of("message.finished")[0]?.data["text"]).toBe("half");
  expect(server.of("command.finished")[0]?.data).toMatchObject({
    outcome: "interrupted",
    reason: "stopped by a person",
  });
});

it("never begins one that was stopped before its turn, and says so", async () => {
  const { make, turns } = speaking({ waitMs: 1_000 }, text("a"), end);
  const { clock, server } = await start(make);
  server.dispatch("c1", "one");
  server.dispatch("c2", "two");
  await clock.advance(10);
  server.send({ event: "command.interrupted", data: { command: "c2", thread: "thread-1" } });
  await clock.advance(5_000);
  expect(turns).toHaveLength(1);
  expect(await server.finished("c2")).toMatchObject({ outcome: "interrupted" });
});

it("answers several threads at once, and one after the other in each", async () => {
  const { make } = speaking({ waitMs: 1_000 }, text("a"), end);
  const { clock, server, names } = await start(make);
  server.dispatch("c1", "1", "thread-1");
  server.dispatch("c2", "2", "thread-1");
  server.dispatch("c3", "3", "thread-2");
  await clock.advance(500);
  expect(names().map(([, command]) => command)).toEqual(["c1", "c3"]);
  await clock.advance(3_000);
  const ends = server.of("command.finished").map(({ data }) => data["command"]);
  expect(ends).toEqual(["c1", "c3", "c2"]);
});

it("goes on in another message where one is full; joined they are the answer", async () => {
  const long = Array.from({ length: 5 }, (_, index) => String(index).repeat(9_000));
  const { make } = speaking(...long.map(text), end);
  const { clock, server } = await start(make);
  server.dispatch("c1", "write a lot");
  await clock.advance(1_000);
  const whole = server.of("message.finished").map(({ data }) => String(data["text"]));
  expect(whole.length).toBeGreaterThan(2);
  expect(Math.max(...whole.map((one) => one.length))).toBeLessThanOrEqual(messageCharsMax);
  expect(whole.join("")).toBe(long.join(""));
  for (const message of server.of("message.finished")) {
    const deltas = server.of("text.delta").filter(({ data }) => data["message"] === message.data["message"]);
    expect(deltas.map(({ data }) => data["text"]).join("")).toBe(message.data["text"]);
  }
});

it("gives the model what was said before, by pages, without what was never answered", async () => {
  const { make, turns } = speaking(text("a"), end);
  const { clock, server, asked } = await start(make);
  const exchange = (id: string, said: string, ...replies: string[]) => ({
    command: { id, text: said },
    messages: replies.map((reply, index) => ({ id: `${id}-${index}`, state: "finished", text: reply })),
  });
  server.answer = async (_method, params) => {
    asked.push(params);
    if ((params as { before: string }).before === "c9")
      return { items: [exchange("p3", "third"), exchange("p4", "fourth", "4a", "4b")], next: "p3" };
    return { items: [exchange("p1", "first", "1")] };
  };
  server.dispatch("c9", "now");
  await clock.advance(100);
  expect(turns).toEqual([
    [
      { role: "user", text: "first" },
      { role: "assistant", text: "1" },
      { role: "user", text: "fourth" },
      { role: "assistant", text: "4a4b" },
      { role: "user", text: "now" },
    ],
  ]);
  expect(asked).toEqual([
    { thread: "thread-1", before: "c9", limit: 50 },
    { thread: "thread-1", before: "p3", limit: 50 },
  ]);
});

it("[F78] without its memory it does not answer as if there were none", async () => {
  const { make, turns } = speaking(text("a"), end);
  const { clock, server } = await start(make);
  server.answer = () => Promise.reject(new Error("timeout"));
  server.dispatch("c1", "as I said");
  await clock.advance(100);
  expect(turns).toEqual([]);
  expect(server.of("command.finished")[0]?.data).toMatchObject({
    outcome: "failed",
    reason: "the conversation so far could not be read",
  });
});

it("[F66] stops politely: what was written is kept, the command ends as interrupted by the shutdown", async () => {
  const { make } = speaking(text("half"), { waitMs: 500_000 }, end);
  const { clock, server, agent } = await start(make);
  server.dispatch("c1", "hi");
  await clock.advance(1_000);
  void agent.stop("shutdown");
  await clock.advance(5_000);
  expect(server.of("message.finished")[0]?.data["text"]).toBe("half");
  expect(server.of("command.finished")[0]?.data).toMatchObject({ outcome: "interrupted", reason: "shutdown" });
});

it("without a model it is a script that says so, and quotes what was said as nothing but text", async () => {
  const { clock, server } = await start(scriptedModel);
  server.dispatch("c1", "<b>hi</b> [x](javascript:alert(1))");
  await clock.advance(60_000);
  const said = String(server.of("message.finished")[0]?.data["text"]);
  expect(said).toContain("I am a script, not a model");
  expect(said).toContain("\\<b\\>hi\\</b\\> \\[x\\]");
});
