/**
 * Inviting by a link: `user.invite` makes a person and their first link, `user.link` another link for who is known.
 *
 * Life cycle of a link: told once, to who asked → works once, within {@link linkLifeMs} → a newer one of the same
 * person ends it. Invariant: the answer is stored without the link (RQ-1), the store has the code's hash only; who
 * opens it is the person that it was made for, with the role that they have then.
 */
import { ProtocolError } from "@holdfast/protocol";
import { personRole } from "@holdfast/protocol/schema";
import { z } from "zod";
import { usersMax } from "../accountTasks.ts";
import { ownerId } from "../schema.ts";
import { keepCode, newSignInCode } from "../signInCode.ts";
import { id, method, type PeopleTransaction, plainName } from "./method.ts";
import { requireAdmin, requirePerson } from "./persons.ts";

const linkLifeMs = 72 * 3_600_000;

const link = z.object({
  user: id,
  /** A path of this server, `/#…`: put its address before it. Told once. */
  link: z.string(),
  /** ms since 1970. */
  expiresAt: z.number(),
});

export const userInvite = method({
  doc: "Makes a person, and a link that signs them in once, within 72 hours. The link is told once: who repeats the request gets the rest.",
  role: "admin",
  kind: "effect",
  secret: ["link"],
  audited: { object: { type: "user", id: "user" }, told: ["name", "role"] },
  params: z.strictObject({ name: plainName, role: personRole }),
  result: link.extend({ role: personRole }),
  async handle(tx, { name, role }, caller) {
    await requireAdmin(tx, caller);
    await requireRoom(tx);
    const user = `user-${tx.newId()}`;
    const { workspace } = tx;
    await tx.db
      .insertInto("auth_users")
      .values({ id: user, name, role, workspace, issuer: null, subject: null, removed: 0 })
      .execute();
    return { ...(await makeLink(tx, user)), role };
  },
  tell: (log, { by, request, result: { user, role } }) => log.info("auth.user_invited", { user, role, by, request }),
});

export const userLink = method({
  doc: "Another sign-in link for somebody who was invited, in the place of one that is lost or over. Told once.",
  role: "admin",
  kind: "effect",
  secret: ["link"],
  audited: { object: { type: "user", id: "user" }, told: ["name"] },
  params: z.strictObject({ user: id }),
  result: link.extend({ name: z.string() }),
  async handle(tx, { user }, caller) {
    await requireAdmin(tx, caller);
    const person = await requirePerson(tx, user);
    if (person.id === ownerId || person.issuer !== null)
      throw new ProtocolError(
        "conflict",
        person.id === ownerId
          ? `${person.name} signs in by the command line of this server's machine, not by a link of others.`
          : `${person.name} signs in by ${person.issuer}, not by a link.`,
        { about: { type: "user", id: user }, details: { reason: "no_link" } },
      );
    return { ...(await makeLink(tx, user)), name: person.name };
  },
  tell: (log, { by, request, result: { user } }) => log.info("auth.link_made", { user, by, request }),
});

async function makeLink(tx: PeopleTransaction, user: string): Promise<z.output<typeof link>> {
  const { code, hash } = newSignInCode({ bytes: tx.randomBytes });
  const expiresAt = await keepCode(tx, { hash, user, lifeMs: linkLifeMs, codesMax: 1 });
  return { user, link: `/#${code}`, expiresAt };
}

/** Throws `conflict` where the table is full. */
async function requireRoom({ db }: PeopleTransaction): Promise<void> {
  const { users } = await db
    .selectFrom("auth_users")
    .select(({ fn }) => fn.countAll<number>().as("users"))
    .executeTakeFirstOrThrow();
  if (Number(users) >= usersMax)
    throw new ProtocolError(
      "conflict",
      `This server has ${usersMax} people, removed ones included, and takes no more.`,
      {
        details: { reason: "full", limit: usersMax },
      },
    );
}
