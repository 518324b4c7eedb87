/**
 * Keys that servers of one deployment share by name.
 *
 * Seen red: with each who asks given a key of their own; with one that an admin made taken for the server's.
 */
import { expect, test } from "vitest";
import { openAuth } from "./authWorld.ts";
import { openPeople } from "./people/peopleWorld.ts";

const instance = "shared-key";

test("[OP-6] a shared one is the same key for whoever asks by its name, on every node, until it is revoked", async () => {
  await using world = await openAuth();
  const other = await world.again();
  const keyOf = async (token: string) => {
    const verdict = await other.verify({ token, instance });
    return verdict.kind === "accepted" ? verdict.principal.key?.id : undefined;
  };
  const key = await keyOf(await world.auth.sharedAgentKey("assistant a"));
  expect(key).toBeDefined();
  expect(await keyOf(await other.sharedAgentKey("assistant a"))).toBe(key);
  expect(await keyOf(await other.sharedAgentKey("assistant b"))).not.toBe(key);
  expect(await keyOf(await other.agentKey("assistant a"))).not.toBe(key);
  await world.auth.revokeKey(String(key));
  expect(await keyOf(await other.sharedAgentKey("assistant a"))).not.toBe(key);
});

test("[OP-6] a key that somebody made under such a name is not the server's own: its maker speaks for no assistant", async () => {
  const world = await openPeople();
  const name = "assistant a";
  const { key } = await world.done(world.owner, "key.create", { name, role: "agent" });
  const token = await world.a.wait(world.a.authenticator.sharedAgentKey(name));
  const verdict = await world.b.wait(world.b.authenticator.verify({ token, instance }));
  expect(verdict.kind).toBe("accepted");
  expect(verdict.kind === "accepted" && verdict.principal.key?.id).not.toBe(key);
});
