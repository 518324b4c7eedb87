/** Seen red: with a restart on another port, with two at once, with a stop that lets a restart under way open a server. */
import type { Server, ServerOptions } from "@holdfast/server";
import { expect, it, vi } from "vitest";
import { openRestarting } from "../../src/serve/restarting.ts";
import { makeCollectedLog } from "../support/collectedLog.ts";

function makeWorld() {
  const opened: ServerOptions[] = [];
  let closed = 0;
  let close: Promise<void> = Promise.resolve();
  let failure: Error | undefined;
  const createServer = async (options: ServerOptions): Promise<Server> => {
    if (failure !== undefined) throw failure;
    opened.push(options);
    return {
      port: 4_000,
      close: async () => {
        closed += 1;
        await close;
      },
    } as Server;
  };
  const options: ServerOptions = { app: new URL("file:///app.ts"), data: "/nowhere", port: 0 };
  return {
    opened,
    closed: () => closed,
    /** Closing waits until the answer is called. */
    hold: (): (() => void) => {
      const held = Promise.withResolvers<void>();
      close = held.promise;
      return held.resolve;
    },
    fail: (error: Error) => {
      failure = error;
    },
    open: () => openRestarting(createServer, options, makeCollectedLog()),
    ask: () => opened[0]?.restart?.(),
  };
}

it("closes the server and opens it again on its port, one restart at a time", async () => {
  const world = makeWorld();
  const server = await world.open();
  const before = server.now;
  world.ask();
  world.ask();
  await vi.waitUntil(() => server.now !== before);
  expect(world.opened.map(({ port }) => port)).toEqual([0, 4_000]);
  expect(world.closed()).toBe(1);
  await server.close();
  expect(world.closed()).toBe(2);
});

it("[CL-9] opens nothing any more once it is to close, also amid a restart", async () => {
  const world = makeWorld();
  const server = await world.open();
  const release = world.hold();
  world.ask();
  const closing = server.close();
  release();
  await closing;
  world.ask();
  expect(world.opened).toHaveLength(1);
});

it("tells where it could not be opened again", async () => {
  const world = makeWorld();
  const server = await world.open();
  world.fail(new Error("the port is taken"));
  world.ask();
  await expect(server.failed).rejects.toThrow("the port is taken");
});
