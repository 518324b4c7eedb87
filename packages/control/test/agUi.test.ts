/** A thread as AG-UI events, over a real server, read and checked by AG-UI's own client. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpAgent, type Message } from "@ag-ui/client";
import { EventSchemas } from "@ag-ui/core/schemas";
import { createServer, type Server } from "@holdfast/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ThreadSnapshot } from "../contract/index.ts";
import { type AgUiEvent, openAgUi } from "../src/agUi.ts";
import { connectRaw, type RawConnection } from "./support/rawConnection.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const data = mkdtempSync(join(tmpdir(), "holdfast-agui-"));
let server: Server;
let key: string;
let agent: string;
let speaker: RawConnection;
let sequence = 1;

beforeAll(async () => {
  server = await createServer({ app: new URL("../src/plugin.ts", import.meta.url), data, log: silent });
  key = await server.operatorKey();
  const claims = {
    name: "a",
    kind: "assistant",
    host: "h",
    capabilities: ["concurrency:9"],
    process: crypto.randomUUID(),
    open: [],
  };
  speaker = await connectRaw(server.localUrl, await server.agentKey("a"), { agent: claims });
  agent = (speaker.welcome["agent"] as { readonly id: string }).id;
});
afterAll(async () => {
  speaker?.close();
  await server?.close();
  rmSync(data, { recursive: true, force: true });
});

async function post(method: string, params: unknown) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const body = JSON.stringify(params);
  const answer = await fetch(`${server.localUrl}/api/${method}`, { method: "POST", headers, body });
  return (await answer.json()) as { command: string; thread: string };
}

/** The agent publishes; one producer for each thread. */
const producers = new Map<string, string>();
async function publish(thread: string, ...events: { event: string; data: object; keyframe?: string }[]): Promise<void> {
  const stream = `thread/${thread}`;
  const isNew = !producers.has(stream);
  const producer = producers.get(stream) ?? crypto.randomUUID();
  producers.set(stream, producer);
  if (isNew) sequence = 1;
  speaker.say({ type: "publish", stream, producer, sequence, events });
  const last = sequence + events.length - 1;
  sequence = last + 1;
  const decided = await speaker.hears(
    (message) => message.type === "published" && message["producer"] === producer && message["sequence"] === last,
  );
  expect(decided["rejected"] ?? []).toEqual([]);
}
const started = (command: string) => ({ event: "command.started", data: { command } });
const finished = (command: string, outcome = "completed", rest = {}) => ({
  event: "command.finished",
  data: { command, outcome, durationMs: 1, ...rest },
});
const begins = (command: string, message: string) => ({ event: "message.started", data: { command, message } });
const says = (command: string, message: string, text: string) => ({
  event: "text.delta",
  data: { command, message, text },
});
const ends = (command: string, message: string, text: string) => ({
  event: "message.finished",
  data: { command, message, text },
  keyframe: `message/${message}`,
});

/** Reads the feed until `isLast`. */
async function listen(thread: string) {
  const abort = new AbortController();
  const answer = await fetch(`${server.localUrl}/api/threads/${thread}/ag-ui`, {
    headers: { authorization: `Bearer ${key}` },
    signal: abort.signal,
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  const events: AgUiEvent[] = [];
  const waiting = new Set<() => void>();
  void (async () => {
    let rest = "";
    for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
      rest += Buffer.from(piece).toString("utf8");
      const lines = rest.split("\n\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("data: ")) events.push(JSON.parse(line.slice(6)) as AgUiEvent);
      for (const look of waiting) look();
    }
  })().catch(() => {});
  const until = (isLast: (event: AgUiEvent) => boolean): Promise<void> =>
    new Promise((done) => {
      const look = (): void => {
        if (!events.some(isLast)) return;
        waiting.delete(look);
        done();
      };
      waiting.add(look);
      look();
    });
  return { events, until, close: () => abort.abort() };
}

const endOf = (run: string) => (event: AgUiEvent) =>
  (event.type === "RUN_FINISHED" && event["runId"] === run) || event.type === "RUN_ERROR";

/** AG-UI's own judgement of each event's shape. */
function judged(events: readonly AgUiEvent[]): readonly string[] {
  for (const event of events) EventSchemas.parse(event);
  return events.map(({ type }) => type);
}

describe("GET /api/threads/<id>/ag-ui", () => {
  it("tells what was said, and then each run as it happens", async () => {
    const first = await post("command.send", { agent, text: "hello" });
    const { thread } = first;
    await publish(thread, started(first.command), begins(first.command, "m1"), says(first.command, "m1", "Hi"));
    await publish(thread, ends(first.command, "m1", "Hi"), finished(first.command));
    const feed = await listen(thread);
    const second = await post("command.send", { thread, text: "more" });
    await publish(thread, started(second.command), begins(second.command, "m2"), says(second.command, "m2", "A "));
    await publish(thread, says(second.command, "m2", "B"), ends(second.command, "m2", "A B"), finished(second.command));
    await feed.until(endOf(second.command));
    expect(judged(feed.events)).toEqual([
      "RUN_STARTED",
      "MESSAGES_SNAPSHOT",
      "RUN_FINISHED",
      "RUN_STARTED",
      "TEXT_MESSAGE_START",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_END",
      "TEXT_MESSAGE_START",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_END",
      "RUN_FINISHED",
    ]);
    expect(feed.events[1]?.["messages"]).toEqual([
      { id: first.command, role: "user", content: "hello" },
      { id: "m1", role: "assistant", content: "Hi" },
    ]);
    feed.close();
  });

  it("takes up a run amid its reply, and tells how it ended; AG-UI's client has every word", async () => {
    const { command, thread } = await post("command.send", { agent, text: "count" });
    await publish(thread, started(command), begins(command, "n1"), says(command, "n1", "one two "));
    const client = new HttpAgent({
      url: `${server.localUrl}/api/threads/${thread}/ag-ui`,
      headers: { authorization: `Bearer ${key}` },
      fetch: (url, { headers, signal }) =>
        fetch(url, { ...(headers && { headers }), ...(signal && { signal }) }).then((answer) =>
          untilEndOf(answer, command),
        ),
    });
    const running = client.runAgent({ runId: "history" });
    await publish(thread, says(command, "n1", "three"), finished(command, "interrupted"));
    await running;
    expect(client.messages.map(({ role, content }: Message) => [role, content])).toEqual([
      ["user", "count"],
      ["assistant", "one two three"],
    ]);
  });

  it("is for whoever may read the thread, and for nobody else", async () => {
    const path = `${server.localUrl}/api/threads/nothing/ag-ui`;
    expect((await fetch(path)).status).toBe(401);
    expect((await fetch(path, { headers: { authorization: `Bearer ${key}` } })).status).toBe(404);
    const agentKey = await server.agentKey("spy");
    expect((await fetch(path, { headers: { authorization: `Bearer ${agentKey}` } })).status).toBe(404);
  });
});

/** The feed goes on for ever; AG-UI's client awaits an end. */
function untilEndOf(answer: Response, run: string): Response {
  let text = "";
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      controller.enqueue(piece);
      text += Buffer.from(piece).toString("utf8");
      if (new RegExp(`RUN_FINISHED[^\\n]*${run}`).test(text)) controller.terminate();
    },
  });
  return new Response(answer.body?.pipeThrough(cut), { status: answer.status, headers: answer.headers });
}

describe("the mapping", () => {
  const snapshot = { thread: { id: "t" }, commands: [], messages: [] } as unknown as ThreadSnapshot;
  const map = (...events: { event: string; data: unknown }[]) => {
    const { first, event } = openAgUi(snapshot);
    return [...first, ...events.flatMap((one) => event({ at: 1, ...one }))];
  };

  it.each(["failed", "lost", "expired"])("tells of a command that %s as an error of its run", (outcome) => {
    const told = map(
      { event: "command.queued", data: { command: "c", text: "hi" } },
      finished("c", outcome, { reason: "why" }),
    );
    expect(judged(told).slice(3)).toEqual([
      "RUN_STARTED",
      "TEXT_MESSAGE_START",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_END",
      "RUN_ERROR",
    ]);
    expect(told.at(-1)).toMatchObject({ message: "why", code: outcome });
  });

  it("ends a reply that its command left open, gives whole what retention has joined, and leaves terminals out", () => {
    const told = map(
      started("c"),
      begins("c", "a"),
      says("c", "a", "half"),
      ends("c", "b", "whole"),
      { event: "terminal.output", data: { terminal: "t", data: "" } },
      { event: "skipped", data: null },
      finished("c", "interrupted"),
    );
    expect(judged(told).slice(6)).toEqual([
      "TEXT_MESSAGE_START",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_START",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_END",
      "TEXT_MESSAGE_END",
      "RUN_FINISHED",
    ]);
  });
});
