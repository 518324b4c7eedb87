/**
 * The second half of `breaches.test.ts`: rules of reading, publishing and agents, broken against a server that
 * remembers what came before. One neighbour obeys all the while and must not notice. A cursor beyond the head is
 * judged in `packages/server/test/hostile/limits.test.ts`, the time of a refusal in `gateway/alike.test.ts` there.
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Message, openPlainClient, type PlainClient, uuidv7 } from "../src/plainClient.ts";
import {
  answersTo,
  closeOf,
  createNeighbour,
  type Neighbour,
  openPerson,
  publish,
  tell,
} from "../src/proof/breaking.ts";
import { type ProofServer, startProofServer } from "../src/proof/server.ts";

let server: ProofServer;
let neighbour: Neighbour;

beforeAll(async () => {
  server = await startProofServer();
  neighbour = await createNeighbour(server.url);
});
afterEach(() => neighbour.assertWell());
afterAll(async () => {
  await neighbour?.close();
  await server?.[Symbol.asyncDispose]();
});

const open = (options: Parameters<typeof openPerson>[1] = {}): Promise<PlainClient> => openPerson(server.url, options);
const of = (peer: PlainClient, type: string, stream: string): readonly Message[] =>
  peer.messages.filter((one) => one.type === type && one["stream"] === stream);
const subscribe = (stream: string, sub: number, from: unknown): Message => ({ type: "subscribe", stream, sub, from });
const said = (data: unknown): object => ({ event: "said", data });

describe("reading against the rules", () => {
  test("[ST-2] of two subscriptions at once the newer counts; unsubscribing twice, or from nothing, is no fault", async () => {
    const peer = await open();
    await tell(peer, "published", publish({ stream: "log/two", events: [said(1), said(2)] }));
    peer.send(subscribe("log/two", 1, "start"), subscribe("log/two", 2, "start"));
    await peer.message((one) => one.type === "subscribed" && one["sub"] === 2, "the newer echo");
    const before = peer.messages.length;
    const nothing = { type: "unsubscribe", stream: "log/two" };
    expect(await answersTo(peer, [nothing, nothing, { type: "unsubscribe", stream: "log/none" }])).toEqual(
      peer.messages.slice(before, -1),
    );
    expect(of(peer, "refused", "log/two")).toEqual([]);
    const answer = await tell(peer, "subscribed", subscribe("log/two", 3, "start"));
    expect(answer).toMatchObject({ sub: 3, offset: 0, head: 2 });
    await peer.close();
  });

  test("[ST-15] a cursor of another history starts anew, is told so, and resets nobody else", async () => {
    const [liar, honest] = [await open(), await open()];
    await tell(liar, "published", publish({ stream: "log/lied", events: [said(1)] }));
    const mine = await honest.read("log/lied");
    const cursor = { epoch: "of-nobody", offset: 1 };
    const answer = await tell(liar, "subscribed", subscribe("log/lied", 1, cursor));
    expect(answer).toMatchObject({ sub: 1, reset: "epoch", offset: mine.head, head: mine.head });
    await tell(liar, "published", publish({ stream: "log/lied", events: [said(2)] }));
    await honest.message((one) => one.type === "events" && one["head"] === mine.head, "the next event");
    expect(of(honest, "subscribed", "log/lied")).toHaveLength(1);
    for (const peer of [liar, honest]) await peer.close();
  });

  test("[ST-17] a forged sender is replaced by the real one, and the eleventh signal of a second is dropped", async () => {
    const subscriptions = [{ stream: "notes", sub: 1, from: "latest" }];
    const [sender, reader] = [await open({ subscribe: subscriptions }), await open({ subscribe: subscriptions })];
    for (const peer of [sender, reader]) await peer.message(({ type }) => type === "subscribed", "subscribed");
    const typing = { type: "signal", stream: "notes", signal: "typing", from: "the-queen", data: 1 };
    expect(await answersTo(sender, Array(30).fill(typing) as Message[])).toEqual([]);
    await reader.message(({ type }) => type === "signal", "a signal");
    await answersTo(reader, []);
    const heard = of(reader, "signal", "notes");
    const { user } = sender.messages[0] as Message & { user: { id: string } };
    // Two seconds of the server's clock may share what is sent at once.
    expect(heard.length).toBeLessThanOrEqual(20);
    expect(heard).toEqual(Array(heard.length).fill({ ...typing, from: user.id }));
    for (const peer of [sender, reader]) await peer.close();
  });

  test("[ST-18] a stream that does not exist and one that is not for it are refused alike", async () => {
    const peer = await open();
    for (const [index, stream] of ["admins", "log/none", "nowhere", "inbox/somebody"].entries()) {
      expect(await tell(peer, "refused", subscribe(stream, index + 1, "start"))).toEqual({
        type: "refused",
        of: "subscribe",
        stream,
        sub: index + 1,
        error: { code: "not_found", message: `there is no stream "${stream}"`, retryable: false },
      });
    }
    await peer.close();
  });
});

describe("publishing against the rules", () => {
  test("[PB-1] [PB-3] a first sequence of 0 and a gap are refused, and the record stays what it was", async () => {
    const peer = await open();
    const batch = publish({ stream: "log/gap", events: [said(1), said(2)] });
    expect(await tell(peer, "published", { ...batch, events: [] })).toMatchObject({ sequence: 0 });
    expect(await tell(peer, "refused", { ...batch, sequence: 0 })).toMatchObject({ error: { code: "bad_message" } });
    expect(await tell(peer, "refused", { ...batch, sequence: 2 })).toMatchObject({
      producer: batch["producer"],
      sequence: 2,
      error: { code: "sequence_gap", retryable: true, details: { expected: 1 } },
    });
    expect(await tell(peer, "published", batch)).toMatchObject({ sequence: 2 });
    expect(await tell(peer, "refused", { ...batch, sequence: 4 })).toMatchObject({
      error: { code: "sequence_gap", details: { expected: 3 } },
    });
    expect(await tell(peer, "published", { ...batch, events: [] })).toMatchObject({ sequence: 2 });
    expect((await peer.read("log/gap")).head).toBe(2);
    await peer.close();
  });

  test("[PB-2] a repeat and an overlap are dropped, poison is named in every answer and blocks nothing", async () => {
    const peer = await open();
    const batch = publish({ stream: "log/poison", events: [said("a"), { event: "poison", data: 1 }, said("b")] });
    const rejected = [{ sequence: 2, error: { code: "invalid_params", retryable: false } }];
    for (const _repeat of [1, 2, 3])
      expect(await tell(peer, "published", batch)).toMatchObject({ sequence: 3, rejected });
    const overlap = {
      ...batch,
      sequence: 3,
      events: [said("b"), said("c"), { event: "said", data: "x".repeat(140_000) }],
    };
    expect(await tell(peer, "published", overlap)).toMatchObject({
      sequence: 5,
      rejected: [{ sequence: 5, error: { code: "too_large" } }],
    });
    const log = await peer.read("log/poison");
    await peer.message((one) => one.type === "events" && one["stream"] === "log/poison", "its events");
    expect(log.events.map(({ data }) => data)).toEqual(["a", "b", "c"]);
    await peer.close();
  });

  test("[PB-1] [ST-18] a thread takes publishes of its agent only, and says nothing of anybody's record", async () => {
    const agent = await openAgent("publisher");
    const person = await open();
    const { thread } = (await person.call("command.send", { agent: agent.id, text: "work" })) as { thread: string };
    const note = { stream: `thread/${thread}`, events: [{ event: "note", data: { text: "forged" } }] };
    expect(await tell(person, "refused", publish(note))).toMatchObject({ error: { code: "forbidden" } });
    const stranger = await openAgent("stranger");
    expect(await tell(stranger.peer, "refused", publish(note))).toMatchObject({ error: { code: "forbidden" } });
    expect(await tell(stranger.peer, "refused", publish({ ...note, events: [] }))).toMatchObject({
      error: { code: "forbidden" },
    });
    expect(await tell(agent.peer, "published", publish(note))).toMatchObject({ sequence: 1 });
    for (const peer of [agent.peer, stranger.peer, person]) await peer.close();
  });
});

interface Agent {
  readonly id: string;
  readonly peer: PlainClient;
  readonly hello: Readonly<Record<string, unknown>>;
  readonly token: string;
}

/** A process of an agent; with `as`, of that agent. */
async function openAgent(name: string, as?: Agent): Promise<Agent> {
  const token = as?.token ?? (await server.agentKey(name));
  const hello = { name, kind: "shell", host: "h", capabilities: [], process: randomUUID(), open: [] };
  const claims = as === undefined ? hello : { ...hello, id: as.id };
  const peer = await openPlainClient(server.url, { hello: { token, agent: claims } });
  const welcome = await peer.message(({ type }) => type === "welcome", "welcome");
  const { id } = welcome["agent"] as { id: string };
  return { id, peer, hello: { ...hello, id }, token };
}

describe("an agent against the rules", () => {
  test("[OP-6] with another's id it is told 4403, and nothing of whose id that is", async () => {
    const owner = await openAgent("owner");
    const thief = await openAgent("thief");
    const reasons: string[] = [];
    for (const id of [owner.id, uuidv7()]) {
      const peer = await openPlainClient(server.url, { hello: { token: thief.token, agent: { ...thief.hello, id } } });
      const { code, reason } = await closeOf(peer);
      expect(code).toBe(4403);
      reasons.push(reason.replace(id, "<id>"));
    }
    expect(reasons[0]).toBe(reasons[1]);
    expect(await answersTo(owner.peer, [])).toEqual([]);
    for (const { peer } of [owner, thief]) await peer.close();
  });

  test("[OP-7] an older process is told 4409, hears nothing more, and stays out", async () => {
    const older = await openAgent("twice");
    older.peer.send(subscribe(`inbox/${older.id}`, 1, "start"));
    await older.peer.message(({ type }) => type === "subscribed", "its inbox");
    const newer = await openAgent("twice", older);
    expect(await closeOf(older.peer)).toEqual({ code: 4409, reason: "fenced" });
    expect(older.peer.messages.at(-1)).toMatchObject({ type: "bye", code: 4409, reconnect: false });
    const person = await open();
    await person.call("command.send", { agent: older.id, text: "for the newer" });
    expect(of(older.peer, "events", `inbox/${older.id}`)).toEqual([]);
    const again = await openPlainClient(server.url, { hello: { token: older.token, agent: older.hello } });
    expect(await closeOf(again)).toMatchObject({ code: 4409 });
    for (const peer of [newer.peer, person]) await peer.close();
  });

  test("[PB-5] what it begins without a claim, claims twice, or claims of what is over, is rejected", async () => {
    const agent = await openAgent("hasty");
    const person = await open();
    const { thread, command } = await person.call("command.send", { agent: agent.id, text: "once" });
    const stream = `thread/${String(thread)}`;
    const producer = randomUUID();
    const event = (name: string, data: object = {}): object => ({ event: name, data: { command, ...data } });
    const finished = event("command.finished", { outcome: "completed", durationMs: 1 });
    const events = [
      event("command.progress", { text: "before its claim" }),
      event("command.started"),
      event("command.started"),
      finished,
      event("command.started"),
      finished,
      { event: "command.started", data: { command: uuidv7() } },
    ];
    const answer = await tell(agent.peer, "published", publish({ stream, producer, events }));
    expect(answer["sequence"]).toBe(events.length);
    const rejected = answer["rejected"] as readonly { sequence: number }[];
    expect(rejected.map(({ sequence }) => sequence)).toEqual([1, 3, 5, 6, 7]);
    const read = await person.read(stream);
    await person.message(
      (one) => one.type === "events" && one["stream"] === stream && read.events.length >= 4,
      "the thread's events",
    );
    expect(read.events.map((one) => one.event)).toEqual([
      "command.queued",
      "command.dispatched",
      "command.started",
      "command.finished",
    ]);
    for (const peer of [agent.peer, person]) await peer.close();
  });

  test("[ST-16] an acknowledgement of another history, or beyond the head, is ignored", async () => {
    const agent = await openAgent("forgetful");
    const person = await open();
    const inbox = `inbox/${agent.id}`;
    // An acknowledgement has no answer; what is written after it is in the same batch or a later one.
    const settled = (): Promise<unknown> => person.call("note.add", { text: "settled" });
    for (const text of ["one", "two"]) await person.call("command.send", { agent: agent.id, text });
    const { epoch } = (await tell(agent.peer, "subscribed", subscribe(inbox, 1, "start"))) as Message & {
      epoch: string;
    };
    await agent.peer.message((one) => one.type === "events" && one["stream"] === inbox, "its orders");
    const wrong = [
      { type: "ack", stream: inbox, epoch: "another", offset: 1 },
      { type: "ack", stream: inbox, epoch, offset: 1_000 },
    ];
    expect(await answersTo(agent.peer, wrong)).toEqual([]);
    await settled();
    expect(await tell(agent.peer, "subscribed", subscribe(inbox, 2, "start"))).toMatchObject({ offset: 0 });
    agent.peer.send({ type: "ack", stream: inbox, epoch, offset: 1 });
    await settled();
    expect(await tell(agent.peer, "subscribed", subscribe(inbox, 3, "start"))).toMatchObject({ offset: 1 });
    for (const peer of [agent.peer, person]) await peer.close();
  });
});
