/**
 * Page and server agree on who is signed in, in each mode and with each credential (F13), and a browser's WebSocket
 * takes the subprotocol that is selected (F14).
 *
 * Seen red: with development mode let in behind a wrong credential, with a session that `GET /api/session` names
 * and the socket refuses, and with the offered credential echoed in the place of the subprotocol.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer, type Server } from "../src/index.ts";
import { makeHello } from "./support/world.ts";

const app = new URL("./support/notesApp.ts", import.meta.url);
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const modes = ["local", "development"] as const;
const servers = new Map<string, Server>();
const keys = new Map<string, string>();
const folders: string[] = [];

beforeAll(async () => {
  for (const mode of modes) {
    const data = await mkdtemp(join(tmpdir(), "holdfast-modes-"));
    folders.push(data);
    const server = await createServer({ app, data, mode, log: silent });
    servers.set(mode, server);
    keys.set(mode, await server.operatorKey());
  }
});
afterAll(async () => {
  for (const server of servers.values()) await server.close();
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** What a browser's WebSocket hears first, and what was selected; undefined where it did not open. */
async function greet(server: Server, protocols: string[], hello: object = makeHello()): Promise<string | undefined> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`, protocols);
  try {
    return await new Promise<string | undefined>((resolve) => {
      socket.onerror = () => resolve(undefined);
      socket.onopen = () => socket.send(JSON.stringify([hello]));
      socket.onmessage = ({ data }) => {
        const [first] = JSON.parse(String(data)) as { type: string; code?: number }[];
        resolve(`${socket.protocol} ${first?.type}${first?.code === undefined ? "" : ` ${first.code}`}`);
      };
    });
  } finally {
    socket.close();
  }
}

describe.each(modes)("[F13] [AU-6] in mode %s", (mode) => {
  const expected = { none: mode === "development", wrong: false, right: true };

  it.each(Object.entries(expected))("with the token %s both doors say the same, once", async (kind, isIn) => {
    const server = servers.get(mode) as Server;
    const token = { none: undefined, wrong: "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln", right: keys.get(mode) }[kind];
    const asked = await fetch(`${server.url}/api/session`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    const { mode: announced, user } = (await asked.json()) as { mode?: string; user?: object | null };
    const heard = await greet(server, ["holdfast.v1"], makeHello(token === undefined ? {} : { token }));
    expect(heard).toBe(isIn ? "holdfast.v1 welcome" : "holdfast.v1 bye 4401");
    expect([asked.status, user !== null && user !== undefined]).toEqual([kind === "wrong" ? 401 : 200, isIn]);
    if (kind !== "wrong") expect(announced).toBe(mode);
  });
});

describe("[F14] [TR-2] a browser's WebSocket", () => {
  const open = (protocols: (key: string) => string[]): Promise<string | undefined> =>
    greet(servers.get("local") as Server, protocols(keys.get("local") ?? ""));

  it("that offers the subprotocol and a credential beside it gets the subprotocol, and never the credential", async () => {
    expect(await open((key) => ["holdfast.v1", `bearer.${key}`])).toBe("holdfast.v1 welcome");
    expect(await open((key) => [`bearer.${key}`, "holdfast.v1"])).toBe("holdfast.v1 welcome");
  });

  it("that offers none is told in words, and one that offers only others does not open", async () => {
    expect(await open(() => [])).toBe(" bye 4401");
    expect(await open((key) => ["jwt", key])).toBeUndefined();
    expect(await open((key) => [`jwt.${key}`])).toBeUndefined();
  });
});
