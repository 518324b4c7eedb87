/**
 * Key sets under the faults of their provider: real HTTP, simulated time.
 *
 * Seen red: with a failure that wipes what was kept or is no reason to rest, keys that serve for ever, an unknown `kid`
 * that asks each time, a question for each who waits, redirects followed, answers of any size, secrets taken for keys.
 */
import { describe, expect, test } from "vitest";
import { answerMsMax } from "../../../src/auth/issuers/provider.ts";
import { failureRestMs, freshMs, newerEveryMs, staleMsMax } from "../../../src/auth/issuers/remoteDocument.ts";
import type { Fault } from "../../support/identityProvider.ts";
import { type IssuersWorld, openIssuers } from "./issuersWorld.ts";

const faults: readonly Fault[] = ["500", "garbage", "huge", "redirects", "empty", "secrets", "not json keys", "hangs"];
const asked = ({ provider }: IssuersWorld): number => provider.asked.get("/jwks.json") ?? 0;
const verify = async (issuers: IssuersWorld) => issuers.auth.verify({ token: await issuers.token(), instance: "" });

/** While the provider hangs the wait ends by the clock, which the test holds. */
async function judged<Value>(issuers: IssuersWorld, question: Promise<Value>): Promise<Value> {
  let done = false;
  const ended = question.finally(() => {
    done = true;
  });
  while (!done) {
    if (issuers.provider.fault === "hangs" && issuers.world.clock.timers > 0)
      await issuers.world.clock.advance(answerMsMax);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return ended;
}

describe.each(faults)("a provider that answers: %s", (fault) => {
  test("[T3] [AU-4] is auth_unavailable with a time to come back, never a refusal, and one line of the log", async () => {
    await using issuers = await openIssuers();
    issuers.provider.fault = fault;
    expect(await judged(issuers, verify(issuers))).toEqual({
      kind: "unavailable",
      reason: expect.any(String),
      retryAfter: failureRestMs,
    });
    for (let count = 0; count < 20; count += 1)
      expect(await verify(issuers)).toMatchObject({ kind: "unavailable", retryAfter: expect.any(Number) });
    expect([asked(issuers), issuers.world.log.map(({ level, event }) => `${level} ${event}`)]).toEqual([
      1,
      ["warn auth.provider_away"],
    ]);
    expect(issuers.provider.asked.get("/elsewhere")).toBeUndefined();
  });

  test("[T3] [AU-4] keeps the keys it gave before: they serve for a day, and it is asked every 10 s at most", async () => {
    await using issuers = await openIssuers();
    expect(await verify(issuers)).toMatchObject({ kind: "accepted" });
    issuers.provider.fault = fault;
    await issuers.world.clock.advance(freshMs);
    expect(await judged(issuers, verify(issuers))).toMatchObject({ kind: "accepted" });
    for (let count = 0; count < 20; count += 1) expect(await verify(issuers)).toMatchObject({ kind: "accepted" });
    expect(asked(issuers)).toBe(2);
    await issuers.world.clock.advance(staleMsMax);
    expect(await judged(issuers, verify(issuers))).toMatchObject({ kind: "unavailable" });
    issuers.provider.fault = undefined;
    await issuers.world.clock.advance(failureRestMs);
    expect(await verify(issuers)).toMatchObject({ kind: "accepted" });
    expect(issuers.world.log.map(({ event }) => event)).toEqual(["auth.provider_away", "auth.provider_back"]);
  });
});

describe("keys that change", () => {
  test("[AU-4] a new key is fetched when its first token comes, and the old one is gone with the set", async () => {
    await using issuers = await openIssuers();
    const old = await issuers.token();
    expect(await issuers.read(old)).toMatchObject({ kind: "valid" });
    await issuers.provider.rotate();
    expect(await issuers.read(await issuers.token())).toMatchObject({ kind: "valid" });
    expect(asked(issuers)).toBe(2);
    await issuers.world.clock.advance(newerEveryMs);
    expect(await issuers.read(old)).toMatchObject({ kind: "refused" });
  });

  test("[T3] [AU-4] 200 unknown kids are one more fetch; within that minute a new key's token waits, and then signs in", async () => {
    await using issuers = await openIssuers();
    expect(await issuers.read(await issuers.token())).toMatchObject({ kind: "valid" });
    const strangers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) =>
        issuers.read(await issuers.token({}, { kid: `stranger ${index}` })),
      ),
    );
    expect(asked(issuers)).toBe(2);
    expect(strangers.filter(({ kind }) => kind === "valid")).toEqual([]);
    await issuers.provider.rotate();
    const token = await issuers.token();
    expect(await issuers.read(token)).toMatchObject({ kind: "unavailable", retryAfter: newerEveryMs });
    await issuers.world.clock.advance(newerEveryMs - 1);
    expect(await issuers.read(token)).toMatchObject({ kind: "unavailable", retryAfter: 1 });
    await issuers.world.clock.advance(1);
    expect(await issuers.read(token)).toMatchObject({ kind: "valid" });
    expect(asked(issuers)).toBe(3);
  });

  test("[AU-4] a key that was withdrawn is no key any more after 10 minutes", async () => {
    await using issuers = await openIssuers();
    const old = await issuers.token();
    expect(await issuers.read(old)).toMatchObject({ kind: "valid" });
    await issuers.provider.rotate();
    await issuers.world.clock.advance(freshMs - 1);
    expect(await issuers.read(old)).toMatchObject({ kind: "valid" });
    await issuers.world.clock.advance(1);
    expect(await issuers.read(old)).not.toMatchObject({ kind: "valid" });
  });

  test("[AU-4] 1,000 who come at once are one question", async () => {
    await using issuers = await openIssuers();
    const token = await issuers.token();
    const readings = await Promise.all(Array.from({ length: 1_000 }, () => issuers.read(token)));
    expect([readings.filter(({ kind }) => kind === "valid").length, asked(issuers)]).toEqual([1_000, 1]);
  });
});

test("[AU-4] [F05] a store that does not answer refuses nobody whom an issuer signs: the role is the last known", async () => {
  await using issuers = await openIssuers({ role: "operator" });
  expect(await verify(issuers)).toMatchObject({ principal: { role: "operator" } });
  issuers.world.store = "fails";
  await issuers.world.clock.advance(60_000);
  expect(await verify(issuers)).toMatchObject({ kind: "accepted", principal: { role: "operator" } });
  const other = await issuers.token({ sub: "grace-1", name: "Grace" });
  expect(await issuers.auth.verify({ token: other, instance: "" })).toMatchObject({ principal: { name: "Grace" } });
});

test("[AU-3] who signs in is asked of the store once a minute, and is one person in it", async () => {
  await using issuers = await openIssuers();
  for (let count = 0; count < 5; count += 1) await verify(issuers);
  expect(issuers.world.asked.filter((task) => task === "auth.account")).toHaveLength(1);
  await issuers.world.clock.advance(60_000);
  await verify(issuers);
  expect(issuers.world.asked.filter((task) => task === "auth.account")).toHaveLength(2);
});
