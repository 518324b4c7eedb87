/** `user.list`: the people of a workspace, by name, a page at a time. */
import { ProtocolError } from "@holdfast/protocol";
import { type PersonEntry, personEntry } from "@holdfast/protocol/schema";
import { z } from "zod";
import { ownerId } from "../schema.ts";
import { id, method, type PeopleTransaction } from "./method.ts";
import { type Person, requireAdmin } from "./persons.ts";

const pageMax = 200;

export const userList = method({
  doc: "The people of the workspace, by name.",
  role: "admin",
  kind: "read",
  params: z.strictObject({ limit: z.int().min(1).max(pageMax).default(pageMax), next: id.optional() }),
  result: z.object({ items: z.array(personEntry), next: z.string().optional() }),
  async handle(tx, { limit, next }, caller) {
    await requireAdmin(tx, caller);
    const found = await peopleAfter(tx, next, limit + 1);
    const page = found.slice(0, limit);
    const items = await withAccess(tx, page);
    const last = page.at(-1);
    return { items, ...(found.length > limit && last !== undefined && { next: last.id }) };
  },
});

async function peopleAfter(tx: PeopleTransaction, next: string | undefined, count: number): Promise<Person[]> {
  const { db, workspace } = tx;
  const query = db
    .selectFrom("auth_users")
    .select(["id", "name", "role", "issuer"])
    .where("workspace", "=", workspace)
    .where("removed", "=", 0)
    .orderBy("name")
    .orderBy("id")
    .limit(count);
  if (next === undefined) return query.execute();
  const { id: lastId, name } = await placeOf(tx, next);
  return query
    .where((where) =>
      where.or([where("name", ">", name), where.and([where("name", "=", name), where("id", ">", lastId)])]),
    )
    .execute();
}

/** Of the last person of the page before, who may have been removed since. */
async function placeOf({ db, workspace }: PeopleTransaction, next: string): Promise<{ id: string; name: string }> {
  const row = await db
    .selectFrom("auth_users")
    .select(["id", "name"])
    .where("id", "=", next)
    .where("workspace", "=", workspace)
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new ProtocolError("invalid_params", `\`next\` "${next}" is not one of this list's; begin again without it.`, {
    details: { field: "next" },
  });
}

/** How each of them comes in. */
async function withAccess({ db, now }: PeopleTransaction, people: readonly Person[]): Promise<PersonEntry[]> {
  const ids = people.map((one) => one.id);
  if (ids.length === 0) return [];
  const sessions = await db
    .selectFrom("auth_sessions")
    .select(({ fn }) => ["user", fn.countAll<number>().as("count")])
    .where("user", "in", ids)
    .where("expires", ">", now)
    .groupBy("user")
    .execute();
  const links = await db
    .selectFrom("auth_sign_in_codes")
    .select(({ fn }) => ["user", fn.max("expires").as("expires")])
    .where("user", "in", ids)
    .where("expires", ">", now)
    .groupBy("user")
    .execute();
  const sessionsOf = new Map(sessions.map(({ user, count }) => [user, Number(count)]));
  const linkOf = new Map(links.map(({ user, expires }) => [user, Number(expires)]));
  return people.map(({ id: user, name, role, issuer }) => {
    const linkExpiresAt = linkOf.get(user);
    return {
      id: user,
      name,
      role,
      signsInBy: user === ownerId ? "commandLine" : issuer === null ? "link" : "provider",
      ...(issuer !== null && { provider: issuer }),
      sessions: sessionsOf.get(user) ?? 0,
      ...(linkExpiresAt !== undefined && { linkExpiresAt }),
    };
  });
}
