/**
 * A loopback endpoint that speaks like OpenAI's, and misbehaves as the last word of a question asks.
 *
 * `slowly`: a word each 100 ms. `endlessly`: the same without an end, until it is hurried. `hang`: nothing. `busy`: 429 with Retry-After once. `cut`: half, then the socket goes.
 * `garbage`: no JSON. `said`: what {@link Model.say} was given. `streamed`: what {@link Model.stream} was given, token by
 * token. Anything else is repeated.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Model {
  /** The base URL. */
  readonly url: string;
  say(text: string): void;
  /** What `streamed` is answered with, in tokens of {@link tokenChars}; after so many characters it waits to be told. */
  stream(text: string, tokensPerSecond: number, holdAfterChars?: number): void;
  /** It holds no more. */
  goOn(): void;
  /** From now on nothing is slow. */
  hurry(): void;
  /** Requests whose question ended with this word. */
  requests(word: string): number;
  stop(): void;
}

const words = 40;
const slowMs = 100;
export const tokenChars = 5;
/** Between two writes; several tokens each where they are many. */
const streamMs = 10;

export async function startModel(): Promise<Model> {
  let toSay = "";
  let toStream = { text: "", tokensPerSecond: 1, heldAfterChars: Number.POSITIVE_INFINITY };
  let isHurried = false;
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => {
      body += String(piece);
    });
    request.on("end", () => {
      const { messages } = JSON.parse(body) as { messages: { content: string }[] };
      const question = messages.at(-1)?.content ?? "";
      const word = question.split(" ").at(-1) ?? "";
      const count = (counts.get(word) ?? 0) + 1;
      counts.set(word, count);
      behave(response, word, question, count);
    });
  });
  const behave = (response: ServerResponse, word: string, question: string, count: number): void => {
    const begin = (): void => void response.writeHead(200, { "content-type": "text/event-stream" });
    if (word === "hang") return;
    if (word === "busy" && count === 1) {
      response.writeHead(429, { "retry-after": "1" }).end('{"error":{"message":"slow down"}}');
      return;
    }
    begin();
    if (word === "garbage") response.end("data: {nonsense\n\n");
    else if (word === "cut") response.write(piece("Half of it "), () => setTimeout(() => response.destroy(), 100));
    else if (word === "said") response.end(piece(toSay) + ending);
    else if (word === "streamed") speakInTokens(response, toStream);
    else if (word === "slowly" || word === "endlessly") speakSlowly(response, word === "endlessly");
    else response.end(piece(`You said: ${question}.`) + ending);
  };
  const speakInTokens = (response: ServerResponse, { text, tokensPerSecond }: typeof toStream): void => {
    let [before, due, said] = [performance.now(), 0, 0];
    const timer = setInterval(() => {
      if (response.destroyed) return clearInterval(timer);
      const now = performance.now();
      due = Math.min(
        due + ((now - before) / 1_000) * tokensPerSecond * tokenChars,
        toStream.heldAfterChars,
        text.length,
      );
      before = now;
      for (; said < due; said += tokenChars) response.write(piece(text.slice(said, said + tokenChars)));
      if (said < text.length) return;
      clearInterval(timer);
      response.end(ending);
    }, streamMs);
  };
  const speakSlowly = (response: ServerResponse, isEndless: boolean): void => {
    let said = 0;
    const next = (): void => {
      if (response.destroyed) return;
      said += 1;
      response.write(piece(`w${said} `));
      if (said >= words && (isHurried || !isEndless)) response.end(ending);
      else setTimeout(next, isHurried ? 1 : slowMs);
    };
    next();
  };
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    say: (text) => {
      toSay = text;
    },
    stream: (text, tokensPerSecond, heldAfterChars = Number.POSITIVE_INFINITY) => {
      toStream = { text, tokensPerSecond, heldAfterChars };
    },
    goOn: () => {
      toStream = { ...toStream, heldAfterChars: Number.POSITIVE_INFINITY };
    },
    hurry: () => {
      isHurried = true;
    },
    requests: (word) => counts.get(word) ?? 0,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const piece = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };
const ending = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`;
