/** Where each scope of a stream has its newest keyframe (ST-10): asked once a scope, since events of one stand together. */
import type { Kysely } from "kysely";
import type { StoreTables } from "./schema.ts";

/** Offset of the newest keyframe of a scope; 0 where there is none. */
export function newestOfScopes(db: Kysely<StoreTables>, stream: number): (scope: string) => Promise<number> {
  const known = new Map<string, number>();
  return async (scope) => {
    const before = known.get(scope);
    if (before !== undefined) return before;
    const row = await db
      .selectFrom("events")
      .select("offset")
      .where("stream", "=", stream)
      .where("keyframe", "=", scope)
      .orderBy("offset", "desc")
      .limit(1)
      .executeTakeFirst();
    const newest = Number(row?.offset ?? 0);
    known.set(scope, newest);
    return newest;
  };
}
