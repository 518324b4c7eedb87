/**
 * A crowd of clients as one process of its own, and what its readers applied against what the log has.
 *
 * Life cycle: started → all live → watched by its status, each half second → finished, with a result. Invariant: a
 * reader's fold is compared at the offset that it reached, so nobody is wrong for being on the way.
 */
import { fileURLToPath } from "node:url";
import { type Child, startNode } from "./child.ts";
import { contentFold } from "./content.ts";
import type { CrowdResult, CrowdSettings, CrowdStatus } from "./crowdSettings.ts";
import { until } from "./player.ts";
import type { LoggedEvent } from "./storeLog.ts";

const joinMsMax = 120_000;

export interface Crowd {
  readonly child: Child;
  /** What it last said. */
  readonly last: () => CrowdStatus | CrowdResult | undefined;
  /** Ends it. Rejects where it ended without a result. */
  finish(): Promise<CrowdResult>;
}

/** Starts it, and waits until all of it is live. */
export async function joinCrowd(settings: CrowdSettings): Promise<Crowd> {
  let last: CrowdStatus | CrowdResult | undefined;
  const errors: string[] = [];
  const child = startNode({
    parameters: [fileURLToPath(new URL("crowdMain.ts", import.meta.url)), JSON.stringify(settings)],
    directory: process.cwd(),
    onOutput: (line) => {
      last = JSON.parse(line) as CrowdStatus;
    },
    onErrors: (line) => errors.push(line),
  });
  await until(
    () => {
      if (child.ended !== undefined) throw new Error(`the crowd ended:\n${errors.join("\n")}`);
      return last?.live === settings.count ? true : undefined;
    },
    () => `${settings.count} clients live, of which ${last?.live ?? 0} were`,
    joinMsMax,
  );
  return {
    child,
    last: () => last,
    async finish() {
      child.tell("finish");
      await child.gone;
      if (last === undefined || !("readers" in last))
        throw new Error(`the crowd ended without its result:\n${errors.join("\n")}`);
      return last;
    },
  };
}

/** Readers that missed something, or whose fold is not the log's: one sentence each. */
export function wrongReaders({ readers }: CrowdResult, events: readonly LoggedEvent[]): readonly string[] {
  const folds = new Map<string, string[]>();
  for (const { stream, content } of events) {
    const states = folds.get(stream) ?? [];
    folds.set(stream, states);
    states.push(contentFold.next(states.at(-1) ?? contentFold.initial, content));
  }
  return readers.flatMap(({ reader, stream, offset, fold, holes }) => {
    const wanted = offset === 0 ? contentFold.initial : folds.get(stream)?.[offset - 1];
    if (holes > 0) return [`${reader} was given ${holes} events that were not the next`];
    if (fold !== undefined && fold !== wanted)
      return [`${reader} applied ${fold} up to ${offset}, the log has ${wanted}`];
    const head = folds.get(stream)?.length ?? 0;
    // The last of `fleet` came while it was ending.
    return stream.startsWith("thread/") && offset !== head
      ? [`${reader} stands at ${offset}, the head is ${head}`]
      : [];
  });
}
