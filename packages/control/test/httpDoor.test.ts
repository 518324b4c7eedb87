/** The same message over HTTP and over the socket is one, in every order of the two (F73); over a real server. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uuidv7 } from "@holdfast/protocol";
import { createServer, type Server } from "@holdfast/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectRaw, type Message } from "./support/rawConnection.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const data = mkdtempSync(join(tmpdir(), "holdfast-door-"));
let server: Server;
let key: string;
let agent: string;

const connect = (hello: Record<string, unknown> = {}, token = key) => connectRaw(server.localUrl, token, hello);

const newId = (): string => uuidv7(Date.now(), randomBytes(10));

async function post(method: string, params: unknown, id?: string) {
  const answer = await fetch(`${server.localUrl}/api/${method}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${key}`,
      ...(id === undefined ? {} : { "idempotency-key": id }),
    },
    body: JSON.stringify(params),
  });
  return { status: answer.status, key: answer.headers.get("idempotency-key"), body: (await answer.json()) as Sent };
}
interface Sent {
  readonly command: string;
  readonly thread: string;
}

beforeAll(async () => {
  server = await createServer({ app: new URL("../src/plugin.ts", import.meta.url), data, log: silent });
  key = await server.operatorKey();
  const claims = { name: "a", kind: "assistant", host: "h", capabilities: [], process: crypto.randomUUID(), open: [] };
  const { welcome } = await connect({ agent: claims }, await server.agentKey("a"));
  agent = (welcome["agent"] as { readonly id: string }).id;
});
afterAll(async () => {
  await server?.close();
  rmSync(data, { recursive: true, force: true });
});

describe("command.send over both doors", () => {
  it("[F73] is answered 202 over HTTP: accepted, with the ids by which the rest is told, and no answer", async () => {
    const { status, key: id, body } = await post("command.send", { agent, text: "hello" });
    expect(status).toBe(202);
    expect(body).toMatchObject({ command: expect.any(String), thread: expect.any(String), position: 0 });
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await post("agent.list", {})).status).toBe(200);
    const { paths } = (await (await fetch(`${server.localUrl}/openapi.json`)).json()) as {
      paths: Record<string, { post: { responses: object } }>;
    };
    expect(Object.keys(paths["/api/command.send"]?.post.responses ?? {})).toEqual(["202", "default"]);
  });

  it.each(["HTTP first", "socket first", "both at once", "HTTP twice", "socket twice"])(
    "[F73] is one message, %s",
    async (order) => {
      const { thread } = (await post("command.send", { agent, text: `a thread for ${order}` })).body;
      const socket = await connect();
      const id = newId();
      const params = { thread, text: order };
      const overHttp = async (): Promise<Sent> => (await post("command.send", params, id)).body;
      const overSocket = async (): Promise<Sent> => {
        const again = await connect();
        again.say({ type: "request", id, method: "command.send", params });
        const { result } = await again.hears((message) => message.type === "response" && message["id"] === id);
        again.close();
        return result as Sent;
      };
      const ways = order.split(" ")[0] === "HTTP" ? [overHttp, overSocket] : [overSocket, overHttp];
      if (order === "HTTP twice") ways[1] = overHttp;
      if (order === "socket twice") ways[1] = overSocket;
      const answers: Sent[] = [];
      if (order === "both at once") answers.push(...(await Promise.all(ways.map((way) => way()))));
      else for (const way of ways) answers.push(await way());
      expect(answers[1]).toEqual(answers[0]);

      socket.say({ type: "subscribe", stream: `thread/${thread}`, sub: 1, from: "start" });
      const isLast = (message: Message): boolean =>
        message.type === "events" &&
        (message["events"] as Message[]).some((event) => JSON.stringify(event).includes(`"${order}"`));
      await socket.hears(isLast);
      const { items } = (await post("thread.read", { thread })).body as unknown as {
        items: { command: { id: string; text: string } }[];
      };
      expect(items.filter(({ command }) => command.text === order).map(({ command }) => command.id)).toEqual([
        answers[0]?.command,
      ]);
      socket.close();
    },
  );
});
