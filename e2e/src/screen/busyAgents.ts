/**
 * Agents at work beside a conversation: each prints lines into a thread of its own, so many a second.
 *
 * Life cycle: started → all online → told to print → counted by the heads of their threads. The rate that is reported is
 * what the log grew by, not what was asked for.
 */
import { fileURLToPath } from "node:url";
import { newFolder, run } from "../holdfast.ts";
import { openPlainClient } from "../plainClient.ts";
import { waitFor } from "../waiting.ts";

const onlineMsMax = 60_000;
/** More than any run prints: they end with their agents. */
const lines = 1_000_000;
/** A thread with more events than this has more than its command's beginning. */
const printingFrom = 10;
const program = fileURLToPath(new URL("busyAgentsMain.ts", import.meta.url));
const printer = fileURLToPath(new URL("../../../simulation/src/processes/printerMain.ts", import.meta.url));

export interface BusyAgents {
  /** How many events the log has of them, in all, now. */
  events(): Promise<number>;
}

interface Agent {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

/** Resolves once all of them print. */
export async function startBusyAgents(url: string, count: number, eachMs: number): Promise<BusyAgents> {
  const folder = newFolder();
  const names = Array.from({ length: count }, (_, index) => `busy-${index + 1}`);
  run(process.execPath, ["--disable-warning=ExperimentalWarning", program, url, folder, ...names]);
  const person = await openPlainClient(url);
  const agents = await waitFor(
    async () => {
      const { items } = (await person.call("agent.list", { limit: 200 })) as unknown as { items: readonly Agent[] };
      const online = items.filter(({ name, status }) => names.includes(name) && status === "online");
      return online.length === count ? online : undefined;
    },
    { msMax: onlineMsMax, what: `${count} agents online` },
  );
  const threads: string[] = [];
  for (const { id, name } of agents) {
    const text = `"${process.execPath}" "${printer}" ${name} ${lines} ${eachMs} /dev/null`;
    const { thread } = await person.call("command.send", { agent: id, text });
    threads.push(`thread/${String(thread)}`);
  }
  await person.close();
  const heads = (): Promise<readonly number[]> => headsOf(url, threads);
  await waitFor(async () => ((await heads()).every((head) => head > printingFrom) ? true : undefined), {
    msMax: onlineMsMax,
    what: `${count} agents printing`,
  });
  return { events: async () => (await heads()).reduce((sum, head) => sum + head, 0) };
}

async function headsOf(url: string, streams: readonly string[]): Promise<readonly number[]> {
  const client = await openPlainClient(url, {
    hello: { subscribe: streams.map((stream, index) => ({ stream, sub: index + 1, from: "latest" })) },
  });
  const heads: number[] = [];
  for (const stream of streams) {
    const told = await client.message((one) => one.type === "subscribed" && one["stream"] === stream, stream);
    heads.push(Number(told["head"]));
  }
  await client.close();
  return heads;
}
