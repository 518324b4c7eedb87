/**
 * A crowd under a server that is killed with SIGKILL and started again, while two people write: what was seen of it.
 *
 * Life cycle: all live, and old enough to have forgotten their openings (CL-3) → killed and started → all back → the
 * writers rest → all at the head. Rejects where that does not come. It judges nothing: see `harmsOf.ts`.
 */
import { openPlainClient } from "../plainClient.ts";
import { startProofServer } from "../proof/server.ts";
import type { ProofStatus } from "../proof/serverMain.ts";
import { pause, waitFor } from "../waiting.ts";
import { startWriters } from "../writers.ts";
import { startCrowd } from "./crowd.ts";
import type { CrowdStatus } from "./crowdMain.ts";

/** Openings a second of nobody who waits for them: more than there are clients. */
export const budgetOff = 1_000_000;

const liveMsMax = 120_000;
const lookEveryMs = 200;
/**
 * Each note goes to every client, and all of them are on the server's cores: two writers at their usual pace would ask for
 * 110,000 deliveries a second of 10,000 clients, and the machine would be busy with nothing else.
 */
const clientsAtUsualPace = 1_000;
const crowdMax = 20_000;
const socketsPerAddressMax = 2_000;

export interface ComeBackOptions {
  readonly clients: number;
  /** Openings a second. */
  readonly budget: number;
  /** How long all are live before the kill. */
  readonly provenMs: number;
}

export interface ComeBack {
  /** From the kill until the server listens, and until the last client is live. */
  readonly upMs: number;
  readonly backMs: number;
  readonly clients: number;
  /** Of the second life. */
  readonly server: ProofStatus;
  /** Sockets of the crowd, and CPU of its processes, from the kill until the last was live. */
  readonly sockets: number;
  readonly clientsCpuMs: number;
  /** When all are at the head. */
  readonly end: CrowdStatus;
  /** What the store holds, in its order, and what the writers were told to be done. */
  readonly notes: readonly string[];
  readonly done: readonly string[];
}

export async function comeBack({ clients, budget, provenMs }: ComeBackOptions): Promise<ComeBack> {
  await using server = await startProofServer({ admission: admissionOf(budget) });
  const { port, url } = server;
  await using crowd = startCrowd(url, "notes", clients);
  const until = async (what: string, is: (status: CrowdStatus) => boolean): Promise<CrowdStatus> => {
    let last: CrowdStatus | undefined;
    const look = async (): Promise<CrowdStatus | undefined> => {
      // A look at ten thousand costs them something.
      await pause(lookEveryMs);
      last = await crowd.status();
      return is(last) ? last : undefined;
    };
    try {
      return await waitFor(look, { msMax: liveMsMax, what });
    } catch (error) {
      throw new Error(`last seen: ${JSON.stringify(last)}`, { cause: error });
    }
  };
  await until(`${clients} live`, ({ live }) => live === clients);
  const writers = startWriters({
    names: ["wim", "wes"],
    url,
    signsIn: true,
    random: Math.random,
    slower: Math.max(1, clients / clientsAtUsualPace),
    act: async (session, text) => void (await session.call("note.add", { text })),
  });
  await pause(provenMs);
  const marked = await crowd.mark();

  const killedAt = Date.now();
  await server.killAndRestart(port);
  const upMs = Date.now() - killedAt;
  const back = await until(`${clients} back`, ({ returned }) => returned === clients);
  await writers.pause();
  const status = await server.status();
  const end = await until("all at the head", (now) => now.live === clients && now.appliedMin === now.appliedMax);
  const notes = await notesOf(url);
  const done = [...writers.done];
  await writers.close();
  return {
    upMs,
    backMs: back.lastReturnedAt - killedAt,
    clients,
    server: status,
    sockets: back.attempts,
    clientsCpuMs: back.cpuMs - marked.cpuMs,
    end,
    notes,
    done,
  };
}

/** All are on this machine, so the limits of one address are raised. */
function admissionOf(budget: number) {
  return {
    openingsPerSecond: budget,
    socketsWithoutHelloPerAddressMax: budget === budgetOff ? crowdMax : socketsPerAddressMax,
    openingsPerAddressBurst: crowdMax,
    ...(budget === budgetOff && {
      socketsWithoutHelloMax: crowdMax,
      openingsUnderWayMax: crowdMax,
      openingsWaitingMax: crowdMax,
    }),
  };
}

interface Notes {
  readonly items: readonly { readonly text: string }[];
}

/** The effects of all requests, in their order: what the store has, asked by somebody who shares no code with it. */
async function notesOf(url: string): Promise<string[]> {
  const client = await openPlainClient(url, { hello: { token: "judge/viewer" } });
  const { items } = (await client.call("note.list", {})) as unknown as Notes;
  await client.close();
  return items.map(({ text }) => text);
}
