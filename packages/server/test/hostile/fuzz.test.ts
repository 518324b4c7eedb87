/**
 * Hostile bytes without end, from a seed, against the server in a process of its own (security F7, F9, F10, L1, L4).
 *
 * `HOSTILE_SEED=<n>` repeats a run, `HOSTILE_FRAMES=1000000` makes it long.
 */
import { expect, it } from "vitest";
import { makeHello } from "../support/world.ts";
import { canary, createChance, hostileFrame } from "./support/fuzz.ts";
import { createNeighbour, neighbourMsMax } from "./support/opened.ts";
import { messagesFrame } from "./support/rawFrame.ts";
import { dial, handshake, type RawPeer } from "./support/rawPeer.ts";
import { startVictim } from "./support/victim.ts";

const frames = Number(process.env["HOSTILE_FRAMES"] ?? "20000");
const seed = Number(process.env["HOSTILE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const peersAtOnce = 8;
const framesPerPeerMax = 40;
/** Frames before memory is compared: caches and code are warm by then. */
const warmFrames = 5_000;
const growthBytesMax = 50 * 1024 * 1024;
/** What a connection may write to the log: opened, closed, and faults of the app that the fuzzer provokes. */
const linesPerPeerMax = 2;
const linesPerFaultMax = 1;
const lineBytesMax = 4_096;
/** How much of a frame's content a log line may hold: a client's name, which has at most 200 characters. */
const contentCharsMax = 200;
const msPerFrameMax = 20;
const logTailChars = 4_000;
const endMsMax = 10_000;

it(
  `[security F7][L4] ${frames} hostile frames, seed ${seed}: the server lives, its memory stands, its log is short and clean`,
  async () => {
    console.log(`HOSTILE_SEED=${seed} HOSTILE_FRAMES=${frames}`);
    await using victim = await startVictim();
    const neighbour = await createNeighbour(victim.port);
    const chance = createChance(seed);
    const done = { frames: 0, peers: 0, closed: new Map<number | undefined, number>() };
    const attackUntil = async (count: number): Promise<void> => {
      const one = async (): Promise<void> => {
        while (done.frames < count) await attack(victim.port, chance, done);
      };
      await Promise.all(Array.from({ length: peersAtOnce }, one)).catch((error: unknown) => {
        throw new Error(`the server's log ended with:\n${victim.log().slice(-logTailChars)}`, { cause: error });
      });
    };

    await attackUntil(Math.min(warmFrames, frames / 2));
    const before = await victim.status();
    await attackUntil(frames);
    const slowest = await neighbour.settle();
    const after = await victim.status();
    await neighbour[Symbol.asyncDispose]();
    await victim.assertWhole();

    const growth = (what: "rssBytes" | "heapBytes"): number => Math.round((after[what] - before[what]) / 1024);
    const log = victim.log();
    const lines = log.split("\n").filter((line) => line !== "");
    const faults = lines.filter((line) => line.includes('"operation.failed"')).length;
    console.log(
      `${done.peers} connections, ${lines.length} log lines (${faults} faults), slowest neighbour ${Math.round(slowest)} ms, ` +
        `memory ${growth("rssBytes")} KiB, of it heap ${growth("heapBytes")} KiB, closes ${JSON.stringify([...done.closed])}`,
    );
    expect(slowest).toBeLessThan(neighbourMsMax);
    expect(after.rssBytes - before.rssBytes).toBeLessThan(growthBytesMax);
    expect(lines.length - faults * linesPerFaultMax).toBeLessThan((done.peers + 1) * linesPerPeerMax + 10);
    expect(lines.filter((line) => line.includes('"connection.failed"'))).toEqual([]);
    for (const line of lines) {
      expect(() => JSON.parse(line), line).not.toThrow();
      expect(line.length).toBeLessThan(lineBytesMax);
      expect(line.split(canary).length - 1).toBeLessThan(contentCharsMax / canary.length);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(log).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
  },
  60_000 + frames * msPerFrameMax,
);

/** One connection: usually a hello, then hostile frames until it is closed or has said enough. It must end. */
async function attack(
  port: number,
  chance: ReturnType<typeof createChance>,
  done: { frames: number; peers: number; closed: Map<number | undefined, number> },
): Promise<void> {
  const peer = dial(port);
  done.peers += 1;
  peer.write(handshake(port));
  if (chance.int(8) > 0) {
    peer.write(messagesFrame(makeHello()));
    await peer.next("welcome");
  }
  const count = 1 + chance.int(framesPerPeerMax);
  for (let round = 0; round < count && peer.socket.writable; round += 1) {
    peer.write(hostileFrame(chance, Date.now()));
    done.frames += 1;
    if (chance.int(8) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const code = await ended(peer, chance);
  done.closed.set(code, (done.closed.get(code) ?? 0) + 1);
}

/** Leaves by a reset, by an end, or by a ping that must be answered or closed. */
async function ended(peer: RawPeer, chance: ReturnType<typeof createChance>): Promise<number | undefined> {
  const how = chance.int(3);
  if (how === 0) peer.reset();
  else peer.socket.end();
  const timer = setTimeout(() => peer.socket.destroy(new Error(`not ended within ${endMsMax} ms`)), endMsMax);
  const { code } = await peer.ended;
  clearTimeout(timer);
  if (peer.socket.errored?.message.startsWith("not ended")) throw peer.socket.errored;
  return code;
}
