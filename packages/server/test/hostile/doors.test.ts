/**
 * The doors of a server that knows nobody: anonymous peers get an answer and nothing else (W3–W7).
 *
 * The routes of the HTTP door are enumerated from Fastify itself in `http/doors.test.ts`; here is what only
 * the whole server shows: the upgrade, and both doors side by side.
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../support/principals.ts";
import { makeHello } from "../support/world.ts";
import { messagesFrame } from "./support/rawFrame.ts";
import { dial, handshake, upgraded } from "./support/rawPeer.ts";
import { startVictim, type Victim } from "./support/victim.ts";

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim({ mode: "local" });
});
afterAll(async () => {
  await victim.assertWhole();
  await victim[Symbol.asyncDispose]();
});

type Headers = Readonly<Record<string, string>>;

/** A plain HTTP request over a raw socket: the answer's status and head. */
async function ask(
  method: string,
  path: string,
  headers: Headers = {},
  body = "",
): Promise<{ status: number; head: string }> {
  const peer = dial(victim.port);
  const json = body === "" ? {} : { "Content-Type": "application/json", "Content-Length": String(body.length) };
  const all = { Host: `127.0.0.1:${victim.port}`, ...json, ...headers, Connection: "close" };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  peer.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
  await peer.ended;
  return { status: peer.status, head: peer.head };
}

const wrongCode = (): string => JSON.stringify({ code: randomBytes(16).toString("base64url") });

describe("nobody", () => {
  it.each([
    ["no credential", {}, {}],
    ["a key that is none", { Authorization: "Bearer hfk_x" }, {}],
    ["a scheme that is none", { Authorization: "Basic YWRhOmFkYQ==" }, {}],
    ["an empty bearer", { Authorization: "Bearer " }, {}],
    ["a bearer beside the subprotocol", { "Sec-WebSocket-Protocol": "holdfast.v1, bearer.hfk_x" }, {}],
    ["a token without signature", {}, { token: `hfk_${Buffer.from('{"alg":"none"}').toString("base64url")}.e30.` }],
    ["a token of 16 KB", {}, { token: "x".repeat(16_384) }],
    ["a cookie that is none", { Cookie: "a=b" }, {}],
    ["a claimed identity", {}, { expect: { user: "owner", workspace: "default" } }],
    [
      "a claimed agent",
      {},
      { agent: { id: "a", name: "a", kind: "k", host: "h", capabilities: [], process: crypto.randomUUID(), open: [] } },
    ],
    ["subscriptions", {}, { subscribe: [{ stream: "notes", sub: 1, from: "start" }] }],
  ])("[W3] with %s hears bye and 4401, and nothing else", async (_title, headers, hello) => {
    const peer = await upgraded(victim.port, headers);
    peer.send(makeHello(hello));
    expect(await peer.ended).toMatchObject({ code: 4401, bye: 4401 });
    expect(peer.said.map(({ type }) => type)).toEqual(["bye"]);
  });

  it("[AU-1] with two different credentials is closed 4400 ambiguous_credentials", async () => {
    const headers = { Authorization: "Bearer hfk_a", "Sec-WebSocket-Protocol": "holdfast.v1, bearer.hfk_b" };
    expect(await (await upgraded(victim.port, headers)).ended).toMatchObject({
      code: 4400,
      reason: "ambiguous_credentials",
    });
    const peer = await upgraded(victim.port, { Authorization: "Bearer hfk_a" });
    peer.send(makeHello({ token: "hfk_b" }));
    expect(await peer.ended).toMatchObject({ code: 4400, reason: "ambiguous_credentials" });
  });

  it.each(["request", "publish", "subscribe", "auth", "ack", "signal", "leave", "ping"])(
    "[W3] cannot send %s before, with, or right after a hello that is refused",
    async (type) => {
      const message = {
        type,
        id: newId(),
        method: "note.add",
        params: { text: "x" },
        stream: "notes",
        sub: 1,
        from: "start",
        producer: crypto.randomUUID(),
        sequence: 1,
        events: [],
        epoch: "e",
        offset: 1,
        signal: "typing",
        n: 1,
        visible: true,
      };
      for (const frames of [[[message]], [[makeHello(), message]], [[makeHello()], [message]]]) {
        const peer = dial(victim.port);
        peer.write(
          Buffer.concat([Buffer.from(handshake(victim.port)), ...frames.map((each) => messagesFrame(...each))]),
        );
        const { code } = await peer.ended;
        expect([4400, 4401]).toContain(code);
        expect(peer.said.map((said) => said["type"])).toEqual(["bye"]);
      }
    },
  );

  it("[W3] gets no method over HTTP, whatever it says", async () => {
    for (const path of [
      "/api/note.list",
      "/api/note.add",
      "/api/__proto__",
      "/api/constructor",
      "/api/%2e%2e",
      "/api/sign-in-codes",
    ]) {
      for (const headers of [{}, { Authorization: "Bearer hfk_x" }, { "X-Forwarded-User": "owner" }]) {
        expect([401, 404]).toContain((await ask("POST", path, headers, "{}")).status);
      }
    }
  });
});

describe("[W7] sign-in codes", () => {
  it("are guessed ten times a minute, whatever the guesser adds", async () => {
    const extras: Headers[] = [
      {},
      { "X-Forwarded-For": "203.0.113.1" },
      { "X-Forwarded-For": "203.0.113.2, 198.51.100.1" },
      { Forwarded: "for=203.0.113.3" },
      { "X-Real-IP": "203.0.113.4" },
      { Authorization: "Bearer hfk_x" },
      { Cookie: "a=b" },
    ];
    const statuses: number[] = [];
    for (let round = 0; round < 30; round += 1)
      statuses.push((await ask("POST", "/api/session", extras[round % extras.length], wrongCode())).status);
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.slice(10)).toEqual(Array(20).fill(429));
  });
});

describe("[W5][L2] what stays behind", () => {
  it("no credential that was sent stands in the log", async () => {
    const secret = "S3CR3T-canary";
    const peer = await upgraded(victim.port, {
      Authorization: `Bearer hfk_${secret}`,
      Cookie: `holdfast_session_${victim.port}=${secret}`,
    });
    peer.send(makeHello({ client: { name: `Bearer ${secret}`, version: "1" } }));
    await peer.ended;
    const asked = await upgraded(victim.port);
    asked.send(makeHello({ token: `hfk_${secret}` }));
    await asked.ended;
    await ask("GET", `/api/session?token=${secret}`);
    await ask("GET", "/api/session", { Authorization: `Bearer hfk_${secret}` });
    await ask("POST", "/api/session", {}, JSON.stringify({ code: secret }));
    await victim.status();
    expect(victim.log()).not.toContain(secret);
  });
});
