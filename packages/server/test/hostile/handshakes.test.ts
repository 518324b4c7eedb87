/** Handshakes that are not ours: none gets 101, none harms anybody (W1, W2, W5, W8, W9, security F2, F4, F8). */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeHello } from "../support/world.ts";
import { createNeighbour, type Neighbour, neighbourMsMax } from "./support/opened.ts";
import { messagesFrame } from "./support/rawFrame.ts";
import { dial, handshake, upgraded } from "./support/rawPeer.ts";
import { startVictim, type Victim } from "./support/victim.ts";

let victim: Victim;
let neighbour: Neighbour;
beforeAll(async () => {
  victim = await startVictim();
  neighbour = await createNeighbour(victim.port);
});
afterAll(async () => {
  await neighbour[Symbol.asyncDispose]();
  await victim.assertWhole();
  await victim[Symbol.asyncDispose]();
});

type Changes = Readonly<Record<string, string | undefined>>;
const own = (): string => `http://127.0.0.1:${victim.port}`;

/** What a handshake with these changes is answered; 0 where the socket is ended without an answer. */
async function answerTo(bytes: string | Uint8Array): Promise<number> {
  const peer = dial(victim.port);
  peer.write(bytes);
  const status = await peer.answered();
  peer.reset();
  return status;
}

type ByHeaders = readonly [title: string, status: number, changes: () => Changes];
const byHeaders: readonly ByHeaders[] = [
  ["[W9] no key", 400, () => ({ "Sec-WebSocket-Key": undefined })],
  ["[W9] an empty key", 400, () => ({ "Sec-WebSocket-Key": "" })],
  ["[W9] a short key", 400, () => ({ "Sec-WebSocket-Key": "AAAA" })],
  ["[W9] a long key", 400, () => ({ "Sec-WebSocket-Key": "A".repeat(5_000) })],
  ["[W9] no version", 400, () => ({ "Sec-WebSocket-Version": undefined })],
  ...["0", "7", "8", "12", "14", "13, 8", " 13.0", "0xd", "1.3e1", "+13", "013", "thirteen"].map(
    (version) => [`[W9] version ${version}`, 400, () => ({ "Sec-WebSocket-Version": version })] satisfies ByHeaders,
  ),
  ["[W9] no Upgrade", 426, () => ({ Upgrade: undefined })],
  ["[W9] no Connection", 426, () => ({ Connection: undefined })],
  ["[W9] Connection: close", 426, () => ({ Connection: "close" })],
  ["[W9] Upgrade to h2c", 400, () => ({ Upgrade: "h2c" })],
  ["[W9] Upgrade to two", 400, () => ({ Upgrade: "websocket, h2c" })],
  ["[W9] a body by length", 400, () => ({ "Content-Length": "5" })],
  ["[W9] a body in chunks", 400, () => ({ "Transfer-Encoding": "chunked" })],
  ["[W9] both (smuggling)", 400, () => ({ "Content-Length": "5", "Transfer-Encoding": "chunked" })],
  ["[W9] a length that is no number", 400, () => ({ "Content-Length": "5, 6" })],
  ["[TR-2] another subprotocol", 400, () => ({ "Sec-WebSocket-Protocol": "graphql-ws" })],
  ["[TR-2] an empty subprotocol", 400, () => ({ "Sec-WebSocket-Protocol": "" })],
  ["[TR-2] ours twice", 400, () => ({ "Sec-WebSocket-Protocol": "holdfast.v1, holdfast.v1" })],
  ["[TR-2] ours in capitals", 400, () => ({ "Sec-WebSocket-Protocol": "HOLDFAST.V1" })],
  ["[TR-2] a longer version of ours", 400, () => ({ "Sec-WebSocket-Protocol": "holdfast.v10" })],
  ["[TR-2] only a bearer", 400, () => ({ "Sec-WebSocket-Protocol": "bearer.x" })],
  ["[W1] Origin null", 403, () => ({ Origin: "null" })],
  ["[W1] an empty Origin", 403, () => ({ Origin: "" })],
  ["[W1] Origin on https", 403, () => ({ Origin: `https://127.0.0.1:${victim.port}` })],
  ["[W1] Origin on another port", 403, () => ({ Origin: "http://127.0.0.1:1" })],
  ["[W1] Origin without port", 403, () => ({ Origin: "http://127.0.0.1" })],
  ["[W1] our Origin with a tail", 403, () => ({ Origin: `${own()}.evil.example` })],
  ["[W1] our Origin as a user", 403, () => ({ Origin: `${own()}@evil.example` })],
  ["[W1] our Origin with a path", 403, () => ({ Origin: `${own()}/` })],
  ["[W1] our Origin in capitals", 403, () => ({ Origin: own().toUpperCase() })],
  ["[W1] Origin localhost where Host is 127.0.0.1", 403, () => ({ Origin: `http://localhost:${victim.port}` })],
  ["[W2] evil.localhost", 403, () => ({ Origin: `http://evil.localhost:${victim.port}` })],
  ["[W2] another local page with our cookie", 403, () => ({ Origin: "http://127.0.0.1:3000", Cookie: "a=b" })],
  ["[W2] an extension's Origin", 403, () => ({ Origin: "chrome-extension://abc" })],
  ["[W2] a file's Origin", 403, () => ({ Origin: "file://" })],
  ["[W2] cross-site without Origin", 403, () => ({ "Sec-Fetch-Site": "cross-site" })],
  ["[W2] a rebound Host", 403, () => ({ Host: `evil.example:${victim.port}` })],
  ["[W2] a Host on another port", 403, () => ({ Host: "127.0.0.1:1" })],
  ["[W2] a Host as one number", 403, () => ({ Host: `2130706433:${victim.port}` })],
  ["[W2] a Host in octal", 403, () => ({ Host: `0177.0.0.1:${victim.port}` })],
  ["[W2] a Host of another address", 403, () => ({ Host: `0.0.0.0:${victim.port}` })],
  ["[W2] no Host", 403, () => ({ Host: undefined })],
  ["[W8] a forwarded Host", 403, () => ({ Host: "evil.example", "X-Forwarded-Host": `127.0.0.1:${victim.port}` })],
];

const byLine: readonly [title: string, status: number, line: string][] = [
  ["[W9] POST", 415, "POST /ws HTTP/1.1"],
  ["[W9] CONNECT", 0, "CONNECT /ws HTTP/1.1"],
  ["[W9] another path", 404, "GET /api/session HTTP/1.1"],
  ["[W9] a path that only begins so", 404, "GET /ws/ HTTP/1.1"],
  ["[W9] a path with a dot", 404, "GET /./ws HTTP/1.1"],
  ["[W9] an absolute target", 403, "GET http://evil.example/ws HTTP/1.1"],
  ["[W9] a target of two slashes", 403, "GET //evil.example/ws HTTP/1.1"],
  ["[W9] a star", 403, "GET * HTTP/1.1"],
  ["[W9] no version of HTTP", 400, "GET /ws"],
  ["[W9] HTTP/1.0", 400, "GET /ws HTTP/1.0"],
  ["[W9] HTTP/2's preface", 400, "PRI * HTTP/2.0"],
  ["[W5] a token in the query", 400, "GET /ws?token=x HTTP/1.1"],
  ["[W5] the same in disguise", 400, "GET /ws?a=1&%54oken=x HTTP/1.1"],
];

const byBytes: readonly [title: string, statuses: readonly number[], bytes: () => string | Uint8Array][] = [
  ["[W9] a TLS client hello", [400], () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03])],
  ["[W9] random bytes", [400], () => randomBytes(4_096)],
  ["[W9] a zero byte in a header", [400], () => handshake(victim.port, { "X-A": "a\0b" })],
  ["[W9] bare line ends", [400], () => handshake(victim.port).replaceAll("\r\n", "\n")],
  ["[W9] a folded header", [400], () => handshake(victim.port, { "X-A": "a\r\n b" })],
  ["[W9] a space before a colon", [400], () => handshake(victim.port, { "Host ": "127.0.0.1" })],
  ["[W9] two Hosts", [400, 403], () => handshake(victim.port, { host: "evil.example" })],
  ["[W9] two keys", [400], () => handshake(victim.port, { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" })],
  ["[W9] two Origins", [403], () => handshake(victim.port, { Origin: own(), origin: "http://evil.example" })],
  [
    "[security F4] 3,000 headers",
    [431, 400, 0],
    () => handshake(victim.port, Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`X-${index}`, "1"]))),
  ],
  ["[security F4] a header of 100 KB", [431], () => handshake(victim.port, { "X-A": "x".repeat(100_000) })],
  [
    "[security F4] an address of 100 KB",
    [431, 414],
    () => handshake(victim.port, {}, `GET /ws?${"x".repeat(100_000)} HTTP/1.1`),
  ],
];

describe("a bad handshake", () => {
  it.each(byHeaders)("%s gets %i", async (_title, status, changes) => {
    expect(await answerTo(handshake(victim.port, changes()))).toBe(status);
  });
  it.each(byLine)("%s gets %i", async (_title, status, line) => {
    expect(await answerTo(handshake(victim.port, {}, line))).toBe(status);
  });
  it.each(byBytes)("%s gets one of %j", async (_title, statuses, bytes) => {
    expect(statuses).toContain(await answerTo(bytes()));
    expect(await neighbour.settle()).toBeLessThan(neighbourMsMax);
  });
});

describe("a good handshake", () => {
  it.each([
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "x-webkit-deflate-frame, permessage-deflate; server_no_context_takeover",
    '";;,="',
  ])("[security F2] gets no extension for %s", async (extensions) => {
    const peer = await upgraded(victim.port, { "Sec-WebSocket-Extensions": extensions });
    expect(peer.head.toLowerCase()).not.toContain("sec-websocket-extensions");
    peer.reset();
  });

  it("[TR-2] echoes holdfast.v1 and never a bearer", async () => {
    const peer = await upgraded(victim.port, { "Sec-WebSocket-Protocol": "bearer.secret, holdfast.v1, other" });
    expect(peer.head.match(/^sec-websocket-protocol: (.*)$/im)?.[1]).toBe("holdfast.v1");
    expect(peer.head).not.toContain("secret");
    peer.reset();
  });

  it("carries a first frame in the same packet", async () => {
    const peer = dial(victim.port);
    peer.write(Buffer.concat([Buffer.from(handshake(victim.port)), messagesFrame(makeHello())]));
    await peer.next("welcome");
    peer.reset();
  });

  it("[W8] a forwarded address is nobody's: the log has the peer's", async () => {
    const peer = await upgraded(victim.port, { "X-Forwarded-For": "203.0.113.9", Forwarded: "for=203.0.113.9" });
    peer.send(makeHello());
    await peer.next("welcome");
    peer.reset();
    await neighbour.settle();
    expect(victim.log()).toContain('"address":"127.0.0.1"');
    expect(victim.log()).not.toContain("203.0.113.9");
  });

  it("[W6] a hello that gives itself a role, scopes, a workspace and another user gets none of them", async () => {
    const peer = await upgraded(victim.port);
    const claims = {
      role: "owner",
      scopes: ["admin"],
      workspace: "other",
      tenant: "other",
      user: { id: "ada" },
      userId: "ada",
    };
    peer.send(makeHello({ ...claims, client: { name: "x", version: "1", ...claims } }));
    const { user } = await peer.next("welcome");
    expect(user).toMatchObject({ role: "admin", workspace: "default", temporary: true });
    expect(user.id).toMatch(/^dev-temp-/);
    peer.reset();
  });
});
