/**
 * How often an address may be wrong: sign-in codes are guessed at {@link wrongMax} a minute, no faster.
 *
 * An attempt is counted when it begins and given back when it was right, so that many at once count as many.
 * Bounded: {@link addressesMax} addresses, the one that was wrong longest ago gives way. Invariant: the
 * address is the socket's, in one normal form (W7); no field of a client has a say.
 */
import { isIPv6 } from "node:net";
import type { Clock } from "@holdfast/protocol";

const wrongMax = 10;
const windowMs = 60_000;
const addressesMax = 1_000;

export interface Attempts {
  /** Counts one attempt; ms to wait where there were too many, else 0. */
  begin(address: string): number;
  /** It was right, or was not judged. */
  giveBack(address: string): void;
}

interface Window {
  readonly since: number;
  count: number;
}

export function createAttempts(clock: Pick<Clock, "monotonic">): Attempts {
  const windows = new Map<string, Window>();

  const current = (key: string): Window => {
    const now = clock.monotonic();
    const known = windows.get(key);
    if (known !== undefined && now - known.since < windowMs) return known;
    const fresh = { since: now, count: 0 };
    windows.delete(key);
    windows.set(key, fresh);
    const [oldest] = windows.keys();
    if (windows.size > addressesMax && oldest !== undefined) windows.delete(oldest);
    return fresh;
  };

  return {
    begin(address) {
      const window = current(normalAddress(address));
      if (window.count >= wrongMax) return Math.max(1, Math.ceil(window.since + windowMs - clock.monotonic()));
      window.count += 1;
      return 0;
    },
    giveBack(address) {
      const window = windows.get(normalAddress(address));
      if (window !== undefined && window.count > 0) window.count -= 1;
    },
  };
}

/** One form of each peer: mapped IPv4 as IPv4, all loopback as one, IPv6 by its network of 64 bits. */
export function normalAddress(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, "");
  if (plain === "::1" || plain.startsWith("127.")) return "loopback";
  return isIPv6(plain) ? networkOf(plain) : plain;
}

function networkOf(address: string): string {
  const [left = "", right] = address.replace(/%.*$/, "").split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const zeros =
    right === undefined ? [] : Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0");
  const groups = [...head, ...zeros, ...tail].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}
