/**
 * The phases of opening a connection, each with a connection that ends in it.
 *
 * Each takes a client through the phases before its own and leaves it there: by a reset, a half-close, or because the
 * server ended it. A phase resolves when its connection is gone on our side. They know nothing of what the server
 * keeps: that is looked at from outside.
 */
import { randomUUID } from "node:crypto";
import { pause } from "../waiting.ts";
import { closeFrame, dial, handshake, type RawClient, textFrame } from "./rawClient.ts";

const judgedMsMax = 20;

export interface PhaseWorld {
  readonly port: number;
  /** Nobody else's in the run. */
  readonly user: string;
}

type Phase = (world: PhaseWorld) => Promise<unknown>;

const subscriptions = ["notes", "fleet", "threads"].map((stream, index) => ({ stream, sub: index + 1, from: "start" }));

export const phases: Readonly<Record<string, Phase>> = {
  "connected, nothing said": async ({ port }) => leave(await dial(port)),
  "in the middle of the request": async ({ port }) => {
    const client = await dial(port);
    client.write(handshake(port).slice(0, 60));
    await pause(0);
    return leave(client);
  },
  "refused for its Origin": async ({ port }) => {
    const client = await dial(port);
    client.write(handshake(port, { Origin: "http://elsewhere.example" }));
    await client.hears(" 403 ");
    return client.end();
  },
  "upgraded, no hello": async (world) => leave(await upgraded(world)),
  "in the middle of its hello": async (world) => {
    const client = await upgraded(world);
    const hello = helloOf(world);
    client.write(hello.subarray(0, hello.length / 2));
    await pause(0);
    return leave(client);
  },
  "closed for what is no hello": async (world) => {
    const client = await upgraded(world);
    client.write(textFrame("[]]"));
    await client.hears('"bye"');
    return client.end();
  },
  "while it is judged": async (world) => {
    const client = await upgraded(world);
    client.write(helloOf(world));
    return leave(client);
  },
  "while its judge hangs": async (world) => {
    const client = await upgraded(world);
    client.write(helloOf(world, "hang"));
    await pause(judgedMsMax);
    return leave(client);
  },
  "refused: nobody": async (world) => {
    const client = await upgraded(world);
    client.write(helloOf(world, "nobody"));
    await client.hears('"bye"');
    return client.end();
  },
  "while its streams are opened": async (world) => {
    const client = await upgraded(world);
    client.write(helloOf(world));
    await client.hears('"welcome"');
    return leave(client);
  },
  "while it reads": async (world) => leave(await reading(world)),
  "in the middle of a request": async (world) => {
    const client = await reading(world);
    const request = { type: "request", id: idNow(), method: "note.list", params: {} };
    client.write(textFrame(JSON.stringify([request])));
    return leave(client);
  },
  "half closed": async (world) => (await reading(world)).end(),
  "with leave and a close frame": async (world) => {
    const client = await reading(world);
    client.write(textFrame(JSON.stringify([{ type: "leave" }])), closeFrame(1_000));
    return client.ended;
  },
};

/** Ends `count` connections, `atOnce` at a time, in each phase in turn. Says how many ended where. */
export async function endInEachPhase(
  port: number,
  { count, atOnce, run }: { readonly count: number; readonly atOnce: number; readonly run: string },
): Promise<ReadonlyMap<string, number>> {
  const ended = new Map<string, number>();
  const all = Object.entries(phases);
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      const [name, phase] = all[index % all.length] ?? [];
      if (name === undefined || phase === undefined) throw new Error("there are no phases");
      try {
        await phase({ port, user: `${run}-${index}` });
      } catch (error) {
        throw new Error(`connection ${index}, which was to end ${name}`, { cause: error });
      }
      ended.set(name, (ended.get(name) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return ended;
}

function leave(client: RawClient): Promise<unknown> {
  client.reset();
  return client.ended;
}

async function upgraded({ port }: PhaseWorld): Promise<RawClient> {
  const client = await dial(port);
  client.write(handshake(port));
  if (!(await client.hears("HTTP/1.1 101"))) throw new Error("the upgrade was refused");
  return client;
}

async function reading(world: PhaseWorld): Promise<RawClient> {
  const client = await upgraded(world);
  client.write(helloOf(world));
  for (const { sub } of subscriptions)
    if (!(await client.hears(`"sub":${sub},`))) throw new Error(`subscription ${sub} was not answered`);
  return client;
}

function helloOf({ user }: PhaseWorld, token = `${user}/operator`): Buffer {
  const client = { name: "phases", version: "1" };
  const hello = { type: "hello", protocol: 1, instance: randomUUID(), attempt: 1, client, visible: true, token };
  return textFrame(JSON.stringify([{ ...hello, subscribe: subscriptions }]));
}

/** A UUIDv7: the server takes no request whose id is of another time. */
function idNow(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
