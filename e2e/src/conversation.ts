/**
 * A conversation for a story: the real server with an assistant, a model endpoint of ours that misbehaves on demand, and
 * the two places where a word can be lost: what a page shows, and what the thread's log holds.
 *
 * The log is read by a client that is nobody's package, and judged as it is read: each message has one start, its pieces
 * joined are its whole text, nothing follows a command's end. So a story only says what was written; that it is there
 * once, whole and in order, in every page and in the log, is {@link expectOnce}.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { type Holdfast, type StartOptions, startHoldfast } from "./holdfast.ts";
import { type Model, startModel } from "./modelEndpoint.ts";
import { onlineAgent } from "./pageObjects.ts";
import { openPlainClient, type PlainEvent } from "./plainClient.ts";
import { waitFor } from "./waiting.ts";

const answerMsMax = 40_000;
/** The one assistant that has a model. */
const assistantName = "Kelp";
export const modelKey = "sk-e2e-0123456789";

/** Only assistants: a conversation needs no shell. */
const assistantsAlone = {
  HOLDFAST_AGENTS_ASSISTANTS: "true",
  HOLDFAST_AGENTS_SHELL: "false",
  HOLDFAST_AGENTS_DEMO: "false",
};

export interface Conversation {
  readonly model: Model;
  readonly server: Holdfast;
  /** A method over HTTP, as the operator of this machine. */
  call(method: string, params: object): Promise<Record<string, unknown>>;
  /** A link that signs the owner in once: another device of the same person. */
  link(): Promise<string>;
  /** Starts a killed server again, in its place. */
  again(): Promise<void>;
}

/** One message of a person with what was answered, as page or log have it. */
export interface Exchange {
  readonly question: string;
  readonly replies: readonly string[];
}

/** The server with its assistants, and a model endpoint that no assistant has yet. */
export async function startAssistants(options: Partial<StartOptions> = {}): Promise<Conversation> {
  const model = await startModel();
  onTestFinished(() => model.stop());
  const asked = { mode: "local" as const, ...options, environment: { ...assistantsAlone, ...options.environment } };
  const server = await startHoldfast({ printSignIn: true, ...asked });
  const call: Conversation["call"] = async (method, params) => {
    const answer = await fetch(`${server.url}/api/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${operatorKey(server)}` },
      body: JSON.stringify(params),
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  return {
    model,
    server,
    call,
    link: async () => `${server.url}/#${String((await call("sign-in-codes", {}))["code"])}`,
    async again() {
      await startHoldfast({ ...asked, data: server.data, port: server.port });
    },
  };
}

/** The same, with an assistant that has the model: configured as a script does, once there is somebody to encrypt its key for. */
export async function startConversation(options: Partial<StartOptions> = {}): Promise<Conversation> {
  const conversation = await startAssistants(options);
  await waitFor(
    async () => ((await conversation.call("assistant.list", {}))["canKeepKeys"] === true ? true : undefined),
    {
      msMax: answerMsMax,
      what: "the assistants' process",
    },
  );
  const { url } = conversation.model;
  const asked = { name: assistantName, endpoint: url, model: "m", key: modelKey };
  const made = await conversation.call("assistant.create", asked);
  expect(made).toMatchObject({ assistant: { hasKey: true } });
  return conversation;
}

/** The assistant that has the model, on a page that shows the fleet. */
export async function openChat(page: Page): Promise<void> {
  const row = await onlineAgent(page, assistantName);
  await row.click();
}

export const exchanges = (page: Page) => page.getByTestId("chat-exchange");
export const replies = (page: Page) => page.getByTestId("chat-reply");

/** Resolves when the newest exchange has ended so. */
export async function ended(page: Page, outcome: string, msMax = answerMsMax): Promise<void> {
  const newest = page.locator(`[data-testid="chat-exchange"]:last-child[data-outcome="${outcome}"]`);
  await newest.waitFor({ timeout: msMax });
}

/** Another after a reload. */
export const documentStart = (page: Page): Promise<number> => page.evaluate(() => performance.timeOrigin);

/** The thread that the page shows, once it shows one. */
export async function threadOf(page: Page): Promise<string> {
  await page.waitForURL(/\/threads\//);
  return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

/** What the page shows, in order. */
export async function shownExchanges(page: Page): Promise<readonly Exchange[]> {
  return await page.evaluate(() => {
    const texts = (inside: Element, id: string): string[] =>
      [...inside.querySelectorAll(`[data-testid="${id}"]`)].map((one) => one.textContent?.trim() ?? "");
    return [...document.querySelectorAll('[data-testid="chat-exchange"]')].map((exchange) => ({
      question: texts(exchange, "chat-question").join("|"),
      replies: texts(exchange, "chat-reply"),
    }));
  });
}

/** What the thread's log holds up to its head, in order; throws where its grammar is broken. */
export async function loggedExchanges({ server }: Conversation, thread: string): Promise<readonly Exchange[]> {
  const headers = { authorization: `Bearer ${operatorKey(server)}` };
  const client = await openPlainClient(server.url, { headers });
  const stream = await client.read(`thread/${thread}`);
  await waitFor(() => ((stream.events.at(-1)?.through ?? 0) >= stream.head ? true : undefined), {
    msMax: answerMsMax,
    what: `all of thread/${thread}`,
  });
  await client.close();
  return readLog(stream.events);
}

/** That each of `wanted` is once, whole and in this order, in every page and in the log. */
export async function expectOnce(
  conversation: Conversation,
  pages: readonly Page[],
  wanted: readonly Exchange[],
): Promise<void> {
  const [first] = pages;
  if (first === undefined) throw new TypeError("expectOnce needs a page");
  const thread = await threadOf(first);
  expect(await loggedExchanges(conversation, thread), "the log").toEqual(wanted);
  for (const page of pages) await expect.poll(() => shownExchanges(page), { timeout: answerMsMax }).toEqual(wanted);
}

/** What {@link startModel} says to a question that asks for nothing else. */
export const echoed = (question: string): Exchange => ({ question, replies: [`You said: ${question}.`] });

/** `w1 w2 … wn` with nothing missing and nothing twice; throws with the first word that is wrong. */
export function countedWords(text: string): number {
  const words = text.trim().split(/\s+/);
  const wrong = words.findIndex((word, index) => word !== `w${index + 1}`);
  if (wrong !== -1) throw new Error(`word ${wrong + 1} of ${words.length} is ${words[wrong]}`);
  return words.length;
}

interface OpenMessage {
  readonly command: string;
  text: string;
  isWhole: boolean;
}

function readLog(events: readonly PlainEvent[]): readonly Exchange[] {
  const commands = new Map<string, { readonly question: string; hasEnded: boolean }>();
  const messages = new Map<string, OpenMessage>();
  const messageOf = (data: PlainEvent["data"]): OpenMessage => {
    const message = messages.get(String(data["message"]));
    if (message === undefined || message.command !== data["command"] || message.isWhole)
      throw new Error(`message ${String(data["message"])} is not open`);
    return message;
  };
  for (const { event, data, offset } of events) {
    const id = String(data["command"]);
    const command = commands.get(id);
    if (event === "command.queued") {
      if (command !== undefined) throw new Error(`#${offset}: command ${id} is queued twice`);
      commands.set(id, { question: String(data["text"]), hasEnded: false });
      continue;
    }
    if (data["command"] !== undefined && (command === undefined || command.hasEnded))
      throw new Error(`#${offset}: ${event} of a command that is not open`);
    if (event === "message.started") {
      if (messages.has(String(data["message"]))) throw new Error(`#${offset}: a message is started twice`);
      messages.set(String(data["message"]), { command: id, text: "", isWhole: false });
    } else if (event === "text.delta") messageOf(data).text += String(data["text"]);
    else if (event === "message.finished") {
      const message = messageOf(data);
      if (message.text !== data["text"]) throw new Error(`#${offset}: the pieces are not the whole`);
      message.isWhole = true;
    } else if (event === "command.finished" && command !== undefined) command.hasEnded = true;
  }
  return [...commands].map(([id, { question }]) => ({
    question,
    replies: [...messages.values()].filter(({ command }) => command === id).map(({ text }) => text.trim()),
  }));
}

const operatorKey = ({ data }: Holdfast): string => readFileSync(join(data, "operator.key"), "utf8").trim();
