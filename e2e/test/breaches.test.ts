/**
 * A client that breaks each rule, one at a time, gets the answer that docs/PROTOCOL.md promises, and nobody else
 * notices. It is `ws` and JSON, no package of ours, against the real server in a process of its own.
 *
 * What `packages/server/test/hostile` breaks over real sockets is not broken again here: handshakes (TR-2, AU-5),
 * sizes, depths and broken frames (TR-3), silence (OP-1, LV-2), who does not leave (CL-1) or does not read (ST-11),
 * and what one connection may have under way (AD-5). TR-5, PB-4, LV-1 and CL-2…CL-8 bind clients alone.
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type Message,
  openPlainClient,
  type PlainClient,
  plainHello,
  UpgradeRefused,
  uuidv7,
} from "../src/plainClient.ts";
import {
  answerMsMax,
  answersTo,
  ask,
  closeOf,
  createNeighbour,
  type Neighbour,
  openPerson,
  publish,
  request,
  tell,
} from "../src/proof/breaking.ts";
import { type ProofServer, startProofServer } from "../src/proof/server.ts";
import { waitFor } from "../src/waiting.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** Of the second server's clock. */
const speed = 20;

let server: ProofServer;
let fast: ProofServer;
let neighbour: Neighbour;

beforeAll(async () => {
  [server, fast] = await Promise.all([startProofServer(), startProofServer({ speed })]);
  neighbour = await createNeighbour(server.url);
});
afterEach(async () => {
  await neighbour.assertWell();
  expect(neighbour.texts()).not.toContain(aNote.text);
});
afterAll(async () => {
  await neighbour?.close();
  await fast?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const linesOf = (word: string): readonly string[] =>
  server
    .log()
    .split("\n")
    .filter((line) => line.includes(word));
const open = (options: Parameters<typeof openPerson>[1] = {}): Promise<PlainClient> => openPerson(server.url, options);

const aNote = { text: "never there" };
const final = (code: string, rest: object = {}): object => ({ error: { code, retryable: false, ...rest } });
const field = (name: string): object => ({ code: "bad_message", details: { field: name } });

type Row = readonly [title: string, sent: string | readonly Message[], answer: object];

describe("a message that breaks a rule is answered by name, and the connection lives", () => {
  const id = uuidv7();
  const producer = randomUUID();
  const rows: readonly Row[] = [
    ["[TR-1] a frame that is no JSON", "nonsense", { type: "error", ...field("") }],
    ["[TR-1] a frame that is an object", "{}", { type: "error", ...field("") }],
    ["[TR-1] a frame that is a text", '"ping"', { type: "error", ...field("") }],
    ["[TR-1] an element that is a number", "[1]", { type: "error", ...field("type") }],
    ["[TR-1] an element that is a list", "[[]]", { type: "error", ...field("type") }],
    ["[TR-1] a type that is no text", '[{"type":1}]', { type: "error", ...field("type") }],
    ["[TR-4] a type that does not exist", [{ type: "shout" }], { type: "error", ...field("type") }],
    [
      "[TR-4] a request without a method",
      [{ type: "request", id, params: {} }],
      { type: "response", id, ...final("bad_message") },
    ],
    ["[TR-4] a request without an id", [{ type: "request", method: "note.add" }], { type: "error", ...field("id") }],
    [
      "[TR-4] a publish without a sequence",
      [{ type: "publish", stream: "log/x", producer, events: [] }],
      { type: "refused", of: "publish", stream: "log/x", producer, ...final("bad_message") },
    ],
    [
      "[TR-4] a subscription from nowhere",
      [{ type: "subscribe", stream: "notes", sub: 1 }],
      { type: "refused", of: "subscribe", stream: "notes", sub: 1, ...final("bad_message") },
    ],
    [
      "[TR-4] a signal without a name",
      [{ type: "signal", stream: "notes" }],
      { type: "refused", of: "signal", stream: "notes", ...final("bad_message") },
    ],
    [
      "[TR-4] an ack without an offset",
      [{ type: "ack", stream: "inbox/x", epoch: "e" }],
      { type: "error", ...field("offset") },
    ],
    ["[TR-4] a ping without a number", [{ type: "ping", visible: true }], { type: "error", ...field("n") }],
    [
      "[TR-7] a deadline of half a millisecond",
      [{ ...request("note.add", aNote), id, deadline: 1.5 }],
      { type: "response", id, ...final("bad_message") },
    ],
    [
      "[TR-7] a deadline as a date",
      [{ ...request("note.add", aNote), id, deadline: "2030-01-01T00:00:00Z" }],
      { type: "response", id, ...final("bad_message") },
    ],
    ["[OP-1] a second hello", [plainHello()], { type: "error", code: "bad_message" }],
    [
      "[ST-16] an ack of what is no inbox of yours",
      [{ type: "ack", stream: "notes", epoch: "e", offset: 1 }],
      { type: "error", code: "forbidden", about: { type: "ack", stream: "notes" } },
    ],
    [
      "[ST-17] a signal that people do not send",
      [{ type: "signal", stream: "notes", signal: "health" }],
      { type: "refused", of: "signal", stream: "notes", ...final("forbidden") },
    ],
    [
      "[ST-17] a signal of more than 1 KiB",
      [{ type: "signal", stream: "notes", signal: "typing", data: "x".repeat(1_100) }],
      { type: "refused", of: "signal", stream: "notes", ...final("forbidden") },
    ],
    [
      "[ST-17] a signal on a stream that it does not read",
      [{ type: "signal", stream: "log/x", signal: "typing" }],
      { type: "refused", of: "signal", stream: "log/x", ...final("not_found") },
    ],
    [
      "[PB-1] a publish where nobody may",
      [publish({ stream: "notes", producer })],
      { type: "refused", of: "publish", stream: "notes", producer, sequence: 1, ...final("forbidden") },
    ],
  ];
  test.each(rows)("%s", async (_title, sent, answer) => {
    const peer = await open();
    const answers = await answersTo(peer, sent);
    expect(answers).toMatchObject([answer]);
    await peer.close();
  });
});

describe("a request that breaks a rule is answered after the store was asked", () => {
  const rows: readonly (readonly [title: string, message: () => Message, answer: object])[] = [
    ["[RQ-1] an id that is no UUIDv7", () => request("note.add", aNote, { id: randomUUID() }), final("bad_message")],
    [
      "[RQ-1] an id of yesterday",
      () => request("note.add", aNote, { id: uuidv7(Date.now() - dayMs) }),
      final("expired"),
    ],
    [
      "[RQ-1] an id 6 minutes ahead",
      () => request("note.add", aNote, { id: uuidv7(Date.now() + 6 * minuteMs) }),
      final("expired"),
    ],
    [
      "[RQ-3] a deadline that is over",
      () => request("note.add", aNote, { deadline: Date.now() - 1_000 }),
      final("expired"),
    ],
    [
      "[RQ-4] one that must follow another which never came",
      () => request("note.add", aNote, { after: uuidv7() }),
      { error: { code: "conflict", retryable: true, details: { reason: "after" } } },
    ],
    ["[RQ-5] a method that does not exist", () => request("note.burn", {}), final("not_found")],
    [
      "[RQ-5] params of another shape",
      () => request("note.add", { text: 1 }),
      final("invalid_params", { details: { field: "text" } }),
    ],
    ["[RQ-1] a method above its role, whatever the params", () => request("admin.only", { a: 1 }), final("forbidden")],
    [
      "[TR-7] bytes without the padding of base64",
      () => request("terminal.write", { thread: uuidv7(), terminal: "t", data: "aGk" }),
      final("invalid_params", { details: { field: "data" } }),
    ],
  ];
  test.each(rows)("%s", async (_title, make, answer) => {
    const peer = await open();
    const message = make();
    expect(await ask(peer, message)).toMatchObject({ id: message["id"], ...answer });
    await peer.close();
  });

  test("[RQ-1] the same id with other params is a conflict, and the first answer stays what it was", async () => {
    const peer = await open();
    const first = request("note.add", { text: "first" });
    expect(await ask(peer, first)).toMatchObject({ result: { text: "first" } });
    expect(await ask(peer, { ...first, params: { text: "second" } })).toMatchObject(
      final("conflict", { details: { reason: "reused" } }),
    );
    expect(await ask(peer, first)).toMatchObject({ result: { text: "first" } });
    const { items } = await peer.call("note.list", {});
    const texts = (items as readonly { text: string }[]).map(({ text }) => text);
    expect(texts.filter((text) => text === "first" || text === "second")).toEqual(["first"]);
    await peer.close();
  });

  test("[RQ-4] behind a refusal it fails finally; behind one that never came it runs when that one has", async () => {
    const peer = await open();
    const refused = request("note.add", { text: "refuse it" });
    const behind = request("note.add", { text: "behind a refusal" }, { after: refused["id"] });
    expect(await ask(peer, refused)).toMatchObject(final("conflict"));
    const failed = final("conflict", { details: { reason: "after_failed" } });
    expect(await ask(peer, behind)).toMatchObject(failed);
    expect(await ask(peer, behind)).toMatchObject(failed);

    const earlier = request("note.add", { text: "earlier" });
    const later = request("note.add", { text: "later" }, { after: earlier["id"] });
    expect(await ask(peer, later)).toMatchObject({ error: { code: "conflict", retryable: true } });
    await ask(peer, earlier);
    expect(await ask(peer, later)).toMatchObject({ result: { text: "later" } });
    await peer.close();
  });

  test("[RQ-5] a fault of ours tells a reference and nothing of the cause, and the log has both", async () => {
    const peer = await open();
    const answer = await ask(peer, request("note.add", { text: "break it" }));
    expect(answer).toMatchObject({ error: { code: "internal", retryable: true } });
    const { ref } = (answer["error"] as { details: { ref: string } }).details;
    expect(JSON.stringify(answer)).not.toMatch(/broken as asked|TypeError|\bat \//);
    await waitFor(() => (linesOf(ref).some((line) => line.includes("broken as asked")) ? true : undefined), {
      msMax: answerMsMax,
      what: "the cause in the log",
    });
    await peer.close();
  });
});

describe("a hello that breaks a rule", () => {
  type Refusal = readonly [title: string, code: number, reason: RegExp, hello: Readonly<Record<string, unknown>>];
  const agent = { name: "a", kind: "shell", host: "h", capabilities: [], process: randomUUID(), open: [] };
  const rows: readonly Refusal[] = [
    ["[OP-2] a protocol that does not exist", 4400, /^unsupported_protocol: 2 is not in 1…1$/, { protocol: 2 }],
    ["[OP-2] an instance that is no UUID", 4400, /"instance"/, { instance: "tab" }],
    ["[AU-2] a credential that nobody has", 4401, /./, { token: "nobody" }],
    ["[AU-2] a credential that cannot be judged", 4503, /./, { token: "broken" }],
    [
      "[OP-5] another user than it expects",
      4410,
      /^identity_changed$/,
      { expect: { user: "bob", workspace: "default" } },
    ],
    ["[OP-5] another workspace", 4410, /^identity_changed$/, { expect: { user: "eve", workspace: "other" } }],
    ["[OP-6] an agent without a key", 4403, /key/, { agent }],
  ];
  test.each(rows)("%s is told %i and nothing else", async (_title, code, reason, hello) => {
    const subscribe = [{ stream: "notes", sub: 1, from: "start" }];
    const peer = await openPlainClient(server.url, { hello: { token: "eve", ...hello }, subscribe });
    const closed = await closeOf(peer);
    expect(closed).toMatchObject({ code, reason: expect.stringMatching(reason) as unknown });
    expect(peer.messages).toMatchObject([{ type: "bye", code, reconnect: code !== 4400 && code !== 4403 }]);
    if (code === 4503) expect(peer.messages[0]?.["retryAfter"]).toBeGreaterThan(0);
  });

  test("[TR-7] a type in an item of hello.subscribe is ignored", async () => {
    const peer = await open({ subscribe: [{ type: "unsubscribe", stream: "notes", sub: 1, from: "latest" }] });
    await peer.message(({ type }) => type === "subscribed", "subscribed");
    await peer.close();
  });

  test("[AU-1] two credentials that differ close 4400; one in the address never opens", async () => {
    const two = await openPlainClient(server.url, {
      headers: { Authorization: "Bearer ada" },
      hello: { token: "bob" },
    });
    expect(await closeOf(two)).toEqual({
      code: 4400,
      reason: "ambiguous_credentials",
    });
    const inAddress = openPlainClient(server.url, { path: "/ws?token=ada", silent: true });
    await expect(inAddress).rejects.toEqual(new UpgradeRefused(400));
  });

  test("[OP-1] without a verdict for 5 s it is told 4503, and when to come again", async () => {
    const startedAt = performance.now();
    const peer = await openPlainClient(fast.url, { hello: { token: "hang" } });
    expect(await closeOf(peer)).toMatchObject({ code: 4503 });
    const seconds = ((performance.now() - startedAt) * speed) / 1_000;
    expect(seconds).toBeGreaterThan(4.5);
    expect(peer.messages).toMatchObject([{ type: "bye", code: 4503, reconnect: true }]);
    expect(peer.messages[0]?.["retryAfter"]).toBeGreaterThan(0);
  });
});

describe("what has no effect before its whole shape is known (TR-6)", () => {
  test("[TR-6] a request that is wrong in its last field does nothing", async () => {
    const peer = await open();
    const answers = await answersTo(peer, [
      request("note.add", { text: "wrong at its end" }, { after: 7 }),
      request("note.add", { text: "right" }),
    ]);
    expect(answers[0]).toMatchObject(final("bad_message"));
    await neighbour.reads("right");
    expect(neighbour.texts()).not.toContain("wrong at its end");
    await peer.close();
  });

  test("[TR-4] [TR-6] an envelope that is wrong publishes nothing of it, the one after it everything", async () => {
    const peer = await open();
    const stream = "log/envelopes";
    const bad = publish({ stream, sequence: 0.5 });
    const good = publish({ stream });
    expect(await tell(peer, "published", bad, good)).toMatchObject({ producer: good["producer"], sequence: 1 });
    expect((await peer.read(stream)).head).toBe(1);
    expect(peer.messages).toContainEqual(
      expect.objectContaining({ type: "refused", producer: bad["producer"] }) as unknown,
    );
    await peer.close();
  });

  test("[TR-4] the tenth bad message within a minute closes 4400, the ninth does not", async () => {
    const peer = await open();
    const bad = { type: "shout" };
    expect(await answersTo(peer, Array(9).fill(bad) as Message[])).toHaveLength(9);
    peer.send(bad);
    expect(await closeOf(peer)).toMatchObject({ code: 4400 });
    expect(peer.messages.at(-1)).toMatchObject({ type: "bye", code: 4400, reconnect: false });
  });

  test("[TR-4] a binary frame closes 1003", async () => {
    const peer = await open();
    peer.sendRaw(new Uint8Array([91, 93]));
    expect(await closeOf(peer)).toMatchObject({ code: 1003 });
  });
});

describe("a credential that ends", () => {
  /** The fast server's time now. */
  const timeOf = (peer: PlainClient, openedAt: number): number =>
    Number(peer.messages[0]?.["now"]) + (performance.now() - openedAt) * speed;

  test("[AU-7] [AU-8] is announced once, refused after its end, and closed 30 s later; streams go on until then", async () => {
    const probe = await openPlainClient(fast.url, { hello: { token: "probe" } });
    const { now } = await probe.message(({ type }) => type === "welcome", "welcome");
    const openedAt = performance.now();
    const end = Number(now) + 40_000;
    const peer = await openPlainClient(fast.url, { hello: { token: `short/operator/${end}` } });
    await peer.read("notes");
    // LV-2: 30 s of silence are a second and a half here.
    let n = 0;
    const beat = setInterval(() => {
      n += 1;
      for (const one of [probe, peer]) if (one.closed() === undefined) one.send({ type: "ping", n, visible: true });
    }, 200);
    const expiring = await peer.message(({ type }) => type === "expiring", "expiring");
    expect(expiring["in"]).toBeLessThanOrEqual(20_000);
    expect(await tell(peer, "error", { type: "auth", token: `short/operator/${end - 1}` })).toMatchObject({
      code: "auth_failed",
    });

    await waitFor(() => (timeOf(probe, openedAt) > end + 2_000 ? true : undefined), {
      msMax: answerMsMax,
      what: "the end",
    });
    const late = request("note.add", { text: "too late" }, { id: uuidv7(end) });
    expect(await ask(peer, late)).toMatchObject({ error: { code: "unauthenticated", retryable: true } });
    expect(await tell(peer, "refused", publish())).toMatchObject({
      of: "publish",
      error: { code: "unauthenticated", retryable: true },
    });
    await probe.call("note.add", { text: "still delivered" });
    await waitFor(() => peer.streams.get("notes")?.events.find(({ data }) => data["text"] === "still delivered"), {
      msMax: answerMsMax,
      what: "delivery after the end",
    });
    expect(await closeOf(peer)).toMatchObject({ code: 4401 });
    expect(timeOf(probe, openedAt)).toBeGreaterThan(end + 28_000);
    expect(peer.messages.filter(({ type }) => type === "expiring")).toHaveLength(1);
    clearInterval(beat);
    await probe.close();
  });

  test("[AU-7] one that is refused is told auth_failed, and the connection goes on as it was", async () => {
    const peer = await open();
    expect(await tell(peer, "error", { type: "auth", token: "nobody" })).toMatchObject({ code: "auth_failed" });
    expect(await answersTo(peer, [])).toEqual([]);
    await peer.close();
  });

  test("[AU-7] one of another user closes 4403, one that ends later goes on", async () => {
    const end = Date.now() + 10 * minuteMs;
    const peer = await openPlainClient(server.url, { hello: { token: `renewed/operator/${end}` } });
    await peer.message(({ type }) => type === "welcome", "welcome");
    expect(await tell(peer, "authenticated", { type: "auth", token: `renewed/operator/${end + 1}` })).toEqual({
      type: "authenticated",
      expiresAt: end + 1,
    });
    peer.send({ type: "auth", token: `another/operator/${end + 2}` });
    expect(await closeOf(peer)).toMatchObject({ code: 4403 });
  });
});
