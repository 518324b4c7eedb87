/**
 * The retention job: the one table of lifetimes, and the work that keeps it, in small batches.
 *
 * Life cycle: armed with the server, every minute one batch of at most {@link batchRowsMax} rows a table joins
 * the commits like any other operation; when a batch was full the next follows at once. Invariant: a stored
 * answer lives longer than a request's id is accepted (RQ-1), so a clean-up never turns a repeat into
 * something new. It deliberately removes no events yet: their lifetime is the application's to name.
 */
import { type Clock, limits, type TimerHandle } from "@holdfast/protocol";
import type { Kysely } from "kysely";
import type { Log } from "../observe/log.ts";
import type { Committer } from "../streams/committer.ts";
import type { StoreTables } from "./schema.ts";

const day = 86_400_000;

/** How long rows are kept, ms. A producer that was silent for so long starts a new one (PB-3). */
export const lifetimes = { requests: limits.requestKeptMs, producers: 30 * day } as const;
const everyMs = 60_000;
const batchRowsMax = 1_000;

/** Removes one batch of what has outlived its time. True where there may be more. */
export async function retain(db: Kysely<StoreTables>, now: number): Promise<boolean> {
  const requests = await db
    .deleteFrom("requests")
    .where("id", "in", (query) =>
      query
        .selectFrom("requests")
        .select("id")
        .where("at", "<", now - lifetimes.requests)
        .orderBy("at")
        .limit(batchRowsMax),
    )
    .executeTakeFirst();
  const producers = await db
    .deleteFrom("producers")
    .where("producer", "in", (query) =>
      query
        .selectFrom("producers")
        .select("producer")
        .where("at", "<", now - lifetimes.producers)
        .limit(batchRowsMax),
    )
    .where("at", "<", now - lifetimes.producers)
    .executeTakeFirst();
  return Number(requests.numDeletedRows) >= batchRowsMax || Number(producers.numDeletedRows) >= batchRowsMax;
}

/** Runs the job until it is stopped. */
export function startRetention(committer: Pick<Committer, "run">, clock: Clock, log: Log): { stop(): void } {
  let timer: TimerHandle | undefined;
  let stopped = false;

  const arm = (ms: number): void => {
    if (!stopped) timer = clock.after(ms, () => void round());
  };
  const round = async (): Promise<void> => {
    const more = await committer.run({ kind: "retain" }).catch((error: unknown) => {
      log.warn("retention.failed", { error });
      return false;
    });
    arm(more === true ? 0 : everyMs);
  };

  arm(everyMs);
  return {
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
    },
  };
}
