/** Peers past their `welcome`, and a well-behaved neighbour that measures what the others cost it. */
import { newId } from "../../support/principals.ts";
import { makeHello } from "../../support/world.ts";
import { type RawPeer, upgraded } from "./rawPeer.ts";

/**
 * What a round trip of the neighbour may take while others attack, ms: far above a good one (about 10 ms), since
 * the tests share two cores with each other; far below any timeout of a client (LV-1: 10 s).
 */
export const neighbourMsMax = 3_000;
const apartMs = 25;

export async function opened(port: number, hello: object = {}, lingers = false): Promise<RawPeer> {
  const peer = await upgraded(port, {}, lingers);
  peer.send(makeHello(hello));
  await peer.next("welcome");
  return peer;
}

export interface Neighbour extends AsyncDisposable {
  /** The slowest round trip so far, ms. */
  readonly slowestMs: number;
  readonly trips: number;
  /** Waits until a trip that begins now is over, then resets what was measured. */
  settle(): Promise<number>;
}

/** Sends one ping and one request after the other, for ever. A trip that fails makes the disposal throw. */
export async function createNeighbour(port: number): Promise<Neighbour> {
  const peer = await opened(port, { subscribe: [{ stream: "notes", sub: 1, from: "latest" }] });
  await peer.next("subscribed");
  let slowestMs = 0;
  let trips = 0;
  let stopped = false;
  let failure: unknown;

  const trip = async (): Promise<void> => {
    const began = performance.now();
    const id = newId();
    peer.send({ type: "ping", n: trips, visible: true }, { type: "request", id, method: "fail.mean", params: {} });
    await peer.next("pong", (message) => message["n"] === trips);
    await peer.next("response", (message) => message["id"] === id);
    peer.said.length = 0;
    trips += 1;
    slowestMs = Math.max(slowestMs, performance.now() - began);
  };
  const loop = (async () => {
    try {
      while (!stopped) {
        await trip();
        await new Promise((resolve) => setTimeout(resolve, apartMs));
      }
    } catch (error) {
      failure = error;
    }
  })();

  return {
    get slowestMs() {
      return slowestMs;
    },
    get trips() {
      return trips;
    },
    async settle() {
      const until = trips + 2;
      while (trips < until && failure === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      if (failure !== undefined) throw failure;
      const measured = slowestMs;
      slowestMs = 0;
      return measured;
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      await loop;
      peer.reset();
      if (failure !== undefined) throw failure;
    },
  };
}
