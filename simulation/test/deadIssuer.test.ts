/**
 * 1,000 people whose tokens run out while their issuer is dead, at one node: production sessions and verifier, virtual time.
 *
 * Until its token's end each stays as it is; then it waits and knocks at no door; a minute after the issuer's return all
 * are back, with every event once.
 */
import { expect, test } from "vitest";
import { openCrowd } from "./support/issuedCrowd.ts";

const clients = 1_000;
const minuteMs = 60_000;
const aliveMs = 30_000;
const deadMs = 5.5 * minuteMs;
const publishEveryMs = 5_000;
/** AU-4: how long after its end a token is honoured. */
const graceMs = 30_000;
/** CL-7: a token that ends sooner is not sent. */
const usableMsMin = 5_000;
const windowMs = 5 * minuteMs;

test("[CL-7] [AU-4] a dead issuer ends nobody early, makes nobody knock, and is survived by all", async () => {
  // Each ends in the outage, at a time of its own.
  await using crowd = await openCrowd(clients, (index) => 2 * minuteMs + (index % 120) * 1_000);
  const { clock, members, issuer } = crowd;
  let published = 0;
  const pass = async (ms: number): Promise<void> => {
    for (const until = clock.monotonic() + ms; clock.monotonic() < until; ) {
      const done = crowd.publish();
      published += 1;
      await clock.advance(publishEveryMs);
      await done;
    }
  };
  const isLive = ({ session }: (typeof members)[number]): boolean => session.state.kind === "live";

  await pass(aliveMs);
  expect(members.filter(isLive)).toHaveLength(clients);
  const tokens = members.map(({ ends }) => ends.at(-1) ?? 0);
  const died = clock.monotonic();
  issuer.isAway = true;
  await pass(deadMs);
  const returned = clock.monotonic();

  for (const [index, { closes, attempts, refreshes, session, states }] of members.entries()) {
    const end = tokens[index] ?? 0;
    // Of 1,000 who came at once most were given a slot first (AD-3); that was before.
    const ended = closes.filter(({ at }) => at >= aliveMs);
    expect(ended.filter(({ at }) => at < end)).toEqual([]);
    expect(ended.filter(({ at }) => at <= end + graceMs + 2_000)).toHaveLength(1);
    const waited = states.filter(({ at }) => at >= died).map(({ state }) => state);
    expect(waited.at(-1)).toMatchObject({ kind: "waiting", reason: expect.stringContaining("auth_unavailable") });
    expect(session.state.kind).toBe("waiting");
    // Nobody comes to the door with a token that is over, or with none.
    expect(attempts.filter(({ at, goodUntil }) => at >= died && goodUntil < at + usableMsMin)).toEqual([]);
    const asked = refreshes.filter((at) => at >= died);
    for (const first of asked)
      expect(asked.filter((at) => at >= first && at < first + windowMs).length).toBeLessThanOrEqual(10);
  }
  const asks = members.map(({ refreshes }) => refreshes.filter((at) => at >= died).length);
  const knocks = members.map(({ attempts }) => attempts.filter(({ at }) => at >= died).length);

  // The harder return: it signs with a new key from now on.
  issuer.isAway = false;
  await issuer.rotate();
  await pass(minuteMs);
  expect(members.filter(isLive)).toHaveLength(clients);
  await clock.advance(1_000);
  const all = Array.from({ length: published }, (_, index) => index + 1);
  for (const { offsets } of members) expect(offsets).toEqual(all);
  // Each end of a connection has its own record, bounded elsewhere; of the issuer the log has a line a minute at most.
  const about = crowd.log.filter(
    ({ at, level, event }) => at >= died && (event.startsWith("auth.") || level === "warn" || level === "error"),
  );
  for (const { at } of about) {
    const minute = about.filter((other) => other.at >= at && other.at < at + minuteMs);
    expect(minute, JSON.stringify(minute)).toHaveLength(1);
  }
  const back = members.map(({ states }) => (states.findLast(({ state }) => state.kind === "live")?.at ?? 0) - returned);
  console.log(
    `refreshes a client while dead: ${Math.min(...asks)}…${Math.max(...asks)}; sockets begun while dead: ${Math.max(...knocks)}; last one live ${Math.max(...back)} ms after the return; ${published} events × ${clients}, 0 lost, 0 repeated`,
  );
}, 120_000);
