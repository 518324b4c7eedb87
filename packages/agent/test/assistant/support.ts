/** A loopback endpoint that speaks like OpenAI's, with whatever a test wants it to do wrong. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Endpoint {
  readonly url: string;
  /** Bodies and headers of the requests so far. */
  readonly requests: { readonly body: Record<string, unknown>; readonly headers: IncomingMessage["headers"] }[];
  /** Connections that the other side has let go. */
  closed(): number;
}

export type Behaviour = (response: ServerResponse, attempt: number) => void;

/** Answers each request by `behave`; gone after the test. */
export async function startEndpoint(behave: Behaviour): Promise<Endpoint> {
  const requests: Endpoint["requests"] = [];
  let closed = 0;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    response.on("close", () => {
      closed += 1;
    });
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      requests.push({ body: JSON.parse(Buffer.concat(pieces).toString() || "{}"), headers: request.headers });
      behave(response, requests.length);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1`, requests, closed: () => closed };
}

/** One event of a streamed completion. */
export function piece(text: string): string {
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
}

/** The end of one, with what it cost. */
export function ending(reason = "stop"): string {
  const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
  const last = { id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta: {}, finish_reason: reason }] };
  return `data: ${JSON.stringify(last)}\n\ndata: ${JSON.stringify({ id: "c", choices: [], usage })}\n\ndata: [DONE]\n\n`;
}

/** Headers of a stream. */
export function open(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { "content-type": "text/event-stream" });
}
