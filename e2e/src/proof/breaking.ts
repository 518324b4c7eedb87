/**
 * What a client needs that breaks rules on purpose: messages with one thing wrong, and ways to wait for the answer.
 *
 * Beside it stands a neighbour that obeys: it writes and reads all the while, and whoever asks whether it is well
 * learns at once if somebody else's breach reached it. Nothing here judges an answer: the tests do.
 */
import { randomUUID } from "node:crypto";
import { type Message, openPlainClient, type PlainClient, type PlainOptions, uuidv7 } from "../plainClient.ts";
import { waitFor } from "../waiting.ts";

/** Until an answer must have come. */
export const answerMsMax = 10_000;

type Fields = Readonly<Record<string, unknown>>;

export const request = (method: string, params: unknown, fields: Fields = {}): Message => ({
  type: "request",
  id: uuidv7(),
  method,
  params,
  ...fields,
});

export const publish = (fields: Fields = {}): Message => ({
  type: "publish",
  stream: "log/breaches",
  producer: randomUUID(),
  sequence: 1,
  events: [{ event: "said", data: 1 }],
  ...fields,
});

let people = 0;

/** Opens as a person of their own, so that no test spends another's limits. */
export async function openPerson(
  url: string,
  options: PlainOptions & { readonly role?: string } = {},
): Promise<PlainClient> {
  people += 1;
  const token = `person-${process.pid}-${people}/${options.role ?? "operator"}`;
  const peer = await openPlainClient(url, { ...options, hello: { token, ...options.hello } });
  await peer.message(({ type }) => type === "welcome", "welcome");
  return peer;
}

/** Everything that is said between these frames and the answer to the ping after them. The connection must live. */
export async function answersTo(
  peer: PlainClient,
  ...frames: readonly (string | readonly Message[])[]
): Promise<readonly Message[]> {
  const before = peer.messages.length;
  for (const frame of frames) peer.sendRaw(typeof frame === "string" ? frame : JSON.stringify(frame));
  const n = before + 1;
  peer.send({ type: "ping", n, visible: true });
  const isOurs = (one: Message): boolean => one.type === "pong" && one["n"] === n;
  await peer.message(isOurs, "the pong, so the connection lives");
  return peer.messages.slice(before).filter((one) => !isOurs(one));
}

/** The first message of a type that comes after this moment and fits. */
export async function next(
  peer: PlainClient,
  type: string,
  fits: (one: Message) => boolean = () => true,
): Promise<Message> {
  const before = peer.messages.length;
  return await peer.message((one) => one.type === type && peer.messages.indexOf(one) >= before && fits(one), type);
}

/** Sends a request and gives its whole response. */
export async function ask(peer: PlainClient, message: Message): Promise<Message> {
  const answer = next(peer, "response", (one) => one["id"] === message["id"]);
  peer.send(message);
  return await answer;
}

/** Sends and gives the first answer of a type. */
export async function tell(peer: PlainClient, type: string, ...messages: readonly Message[]): Promise<Message> {
  const answer = next(peer, type);
  peer.send(...messages);
  return await answer;
}

/** The code and reason of the close. */
export async function closeOf(peer: PlainClient): Promise<{ readonly code: number; readonly reason: string }> {
  return await waitFor(peer.closed, { msMax: answerMsMax, what: "the close" });
}

export interface Neighbour {
  /** What it read of `notes`, whoever wrote it. */
  texts(): readonly string[];
  /** Resolves once `notes` held this text. */
  reads(text: string): Promise<void>;
  /** Writes, and reads what it wrote; throws where it was interrupted, answered late or fed a gap. */
  assertWell(): Promise<void>;
  close(): Promise<void>;
}

export async function createNeighbour(url: string): Promise<Neighbour> {
  const peer = await openPlainClient(url, { hello: { token: "neighbour" } });
  const notes = await peer.read("notes");
  const texts = (): readonly string[] => notes.events.map(({ data }) => String(data["text"]));
  const reads = async (text: string): Promise<void> => {
    await waitFor(() => texts().find((one) => one === text), { msMax: answerMsMax, what: `the note "${text}"` });
  };
  let rounds = 0;
  return {
    texts,
    reads,
    async assertWell() {
      rounds += 1;
      const text = `the neighbour's note ${rounds}`;
      await peer.call("note.add", { text });
      await reads(text);
      const answered = peer.messages.filter(({ type }) => type === "subscribed").length;
      if (answered !== 1) throw new Error(`the neighbour was subscribed ${answered} times`);
    },
    close: () => peer.close(),
  };
}
