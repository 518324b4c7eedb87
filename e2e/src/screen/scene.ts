/**
 * What the proof of the screen is played in: a server, an assistant with a model that answers at once, ten agents that
 * print without end, and a person who writes.
 *
 * Everything is a process of its own but the model and the person. Ends with the test (`endAll`).
 */
import { type Holdfast, startHoldfast } from "../holdfast.ts";
import { type Model, startModel } from "../modelEndpoint.ts";
import { openPlainClient, type PlainClient } from "../plainClient.ts";
import { pause, waitFor } from "../waiting.ts";
import { type BusyAgents, startBusyAgents } from "./busyAgents.ts";
import { readWire, type Written } from "./wire.ts";

const onlineMsMax = 60_000;
const answerMsMax = 60_000;
/** Who waits for answers does not write on for ever. */
const unansweredMax = 5;

export interface Scene {
  readonly server: Holdfast;
  readonly model: Model;
  readonly person: PlainClient;
  readonly busy: BusyAgents | undefined;
  /** A new conversation, with one answer in it. */
  begin(text: string): Promise<Conversation>;
  close(): Promise<void>;
}

export interface Conversation {
  readonly url: string;
  readonly thread: string;
  /** What came over the wire since its beginning. */
  readonly written: Written;
  /** Sends `m1`, `m2` …, one each `everyMs` or as fast as they are answered; resolves when the last is answered. */
  say(count: number, everyMs: number, random: () => number): Promise<void>;
}

/** @param agents how many print beside it, a line each `eachMs` */
export async function startScene(agents: number, eachMs: number): Promise<Scene> {
  const model = await startModel();
  const server = await startHoldfast({
    mode: "development",
    environment: {
      HOLDFAST_AGENTS_ASSISTANTS: "true",
      HOLDFAST_AGENTS_SHELL: "false",
      HOLDFAST_AGENTS_DEMO: "false",
    },
  });
  const person = await openPlainClient(server.url);
  const assistant = await addAssistant(person, model.url);
  const busy = agents === 0 ? undefined : await startBusyAgents(server.url, agents, eachMs);
  const conversations: Conversation[] = [];
  return {
    server,
    model,
    person,
    busy,
    async begin(text) {
      const { thread } = await person.call("command.send", { agent: assistant, text });
      const begun = await beginConversation(server.url, String(thread), person);
      conversations.push(begun);
      return begun;
    },
    async close() {
      model.stop();
      for (const { written } of conversations) await written.close();
      await person.close();
    },
  };
}

async function addAssistant(person: PlainClient, endpoint: string): Promise<string> {
  await waitFor(async () => ((await person.call("assistant.list", {}))["canKeepKeys"] === true ? true : undefined), {
    msMax: onlineMsMax,
    what: "the assistants' process",
  });
  await person.call("assistant.create", { name: "Kelp", endpoint, model: "m" });
  return await waitFor(
    async () => {
      const { items } = (await person.call("agent.list", {})) as unknown as {
        items: readonly { id: string; name: string; status: string }[];
      };
      return items.find(({ name, status }) => name === "Kelp" && status === "online")?.id;
    },
    { msMax: onlineMsMax, what: "the assistant online" },
  );
}

async function beginConversation(server: string, thread: string, person: PlainClient): Promise<Conversation> {
  const written = await readWire(server, thread);
  const ended = async (command: string): Promise<void> => {
    await waitFor(() => (written.ended.has(command) ? true : undefined), {
      msMax: answerMsMax,
      what: `the end of ${command}`,
    });
  };
  return {
    url: `${server}/threads/${thread}`,
    thread,
    written,
    async say(count, everyMs, random) {
      const commands: string[] = [];
      let due = performance.now();
      for (let n = 1; n <= count; n += 1) {
        const before = commands.at(-unansweredMax);
        if (before !== undefined) await ended(before);
        const sent = await person.call("command.send", { thread, text: `m${n}` });
        commands.push(String(sent["command"]));
        // Not in step with anything that has a rhythm of its own.
        due += everyMs * (0.5 + random());
        await pause(Math.max(0, due - performance.now()));
      }
      await ended(commands.at(-1) ?? "");
    },
  };
}
