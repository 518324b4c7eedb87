/** The endpoint's faults, as the model behind the port tells them; over real sockets. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { ModelError, type ModelPart } from "../../src/assistant/chatModel.ts";
import { openAiModel } from "../../src/assistant/openAiModelShell.ts";
import { type Behaviour, ending, open, piece, startEndpoint } from "./support.ts";

const key = "sk-test-0123456789abcdef";

async function ask(behave: Behaviour, abort = new AbortController()) {
  const endpoint = await startEndpoint(behave);
  const model = openAiModel({ endpoint: endpoint.url, model: "m", systemPrompt: "Be brief.", key }, () => 0);
  const parts: ModelPart[] = [];
  let error: unknown;
  try {
    const turns = [
      { role: "user", text: "one" },
      { role: "assistant", text: "two" },
      { role: "user", text: "three" },
    ] as const;
    for await (const part of model.answer(turns, abort.signal)) parts.push(part);
  } catch (thrown) {
    error = thrown;
  }
  const text = parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
  return { endpoint, parts, text, error };
}

it("sends the turns, the system prompt and the key, and gives text and usage", async () => {
  const { endpoint, parts, text, error } = await ask((response) =>
    open(response).end(piece("Hel") + piece("lo") + ending()),
  );
  expect(error).toBeUndefined();
  expect(text).toBe("Hello");
  expect(parts.at(-1)).toEqual({ kind: "end", usage: { inputTokens: 11, outputTokens: 7 } });
  const [request] = endpoint.requests;
  expect(request?.headers.authorization).toBe(`Bearer ${key}`);
  expect(request?.body).toMatchObject({
    model: "m",
    stream: true,
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "one" },
      { role: "assistant", content: "two" },
      { role: "user", content: "three" },
    ],
  });
});

it.each([
  ["a limit of tokens", "length", "the model stopped at its limit of tokens"],
  ["a filter", "content_filter", "a filter of the model's provider stopped it"],
])("tells why it ended at %s", async (_what, reason, remark) => {
  const { parts } = await ask((response) => open(response).end(piece("a") + ending(reason)));
  expect(parts.at(-1)).toMatchObject({ kind: "end", remark });
});

it.each<[string, Behaviour, Partial<ModelError>]>([
  [
    "429 with Retry-After",
    (response) => void response.writeHead(429, { "retry-after": "7" }).end('{"error":{"message":"slow down"}}'),
    { isRetryable: true, retryAfterMs: 7_000, message: "the model's server is busy (429: slow down)" },
  ],
  [
    "429 with a moment",
    (response) => void response.writeHead(429, { "retry-after": "Thu, 01 Jan 1970 00:00:09 GMT" }).end("{}"),
    { isRetryable: true, retryAfterMs: 9_000 },
  ],
  ["500", (response) => void response.writeHead(500).end("oops"), { isRetryable: true }],
  [
    "a wrong key, which the server repeats",
    (response) => void response.writeHead(401).end(JSON.stringify({ error: { message: `bad key ${key}` } })),
    { isRetryable: false, message: "the model's server does not accept the key (401: bad key …)" },
  ],
  ["an unknown model", (response) => void response.writeHead(404).end("{}"), { isRetryable: false }],
  [
    "garbage in the place of an answer",
    (response) => void open(response).end("data: {not json\n\n"),
    { isRetryable: true, message: "the model's server sent what is no answer" },
  ],
  [
    "a page in the place of an answer",
    (response) => void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hello</h1>"),
    { isRetryable: true },
  ],
  [
    "a redirect, which would take the key elsewhere",
    (response) => void response.writeHead(307, { location: "http://127.0.0.1:9/v1" }).end(),
    {},
  ],
])("is told of %s as a ModelError without the key", async (_what, behave, expected) => {
  const { error, text, endpoint } = await ask(behave);
  expect(error).toBeInstanceOf(ModelError);
  expect(error).toMatchObject(expected);
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(key);
  expect(text).toBe("");
  expect(endpoint.requests).toHaveLength(1);
});

it.each<[string, Behaviour, string]>([
  [
    "the socket is cut",
    (response) => void open(response).write(piece("Half"), () => response.destroy()),
    "the connection to the model's server was lost (UND_ERR_SOCKET)",
  ],
  ["the stream ends without its end", (response) => void open(response).end(piece("Half")), "what is no answer"],
  [
    "garbage follows",
    (response) => void open(response).end(`${piece("Half")}data: \u0000{{{\n\n`),
    "what is no answer",
  ],
])("gives what came and then an error where %s amid the answer", async (_what, behave, said) => {
  const { error, text } = await ask(behave);
  expect(text).toBe("Half");
  expect(error).toBeInstanceOf(ModelError);
  expect((error as ModelError).message).toContain(said);
});

it("cannot reach a server that is not there, which may pass", async () => {
  // A port of which nobody else knows: `fetch` itself refuses the well-known ones without asking.
  const listener = createServer();
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const { port } = listener.address() as AddressInfo;
  await new Promise((done) => listener.close(done));
  const model = openAiModel({ endpoint: `http://127.0.0.1:${port}/v1`, model: "m", systemPrompt: "", key }, () => 0);
  const asked = model.answer([{ role: "user", text: "x" }], new AbortController().signal)[Symbol.asyncIterator]();
  await expect(asked.next()).rejects.toMatchObject({
    isRetryable: true,
    message: "the model's server cannot be reached (ECONNREFUSED)",
  });
});

it("lets the connection go when it is aborted", async () => {
  const abort = new AbortController();
  const { endpoint } = await ask((response) => {
    open(response).write(piece("Half"));
    setTimeout(() => abort.abort(), 50);
  }, abort);
  await expect.poll(() => endpoint.closed()).toBe(1);
});
