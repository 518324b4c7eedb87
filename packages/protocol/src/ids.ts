/**
 * Ids, made from a time and random bytes that the caller passes in.
 *
 * A request's id is a UUIDv7 (RFC 9562 section 5.7), so its age can be read from it (RQ-1); all other
 * ids are too, since their order by time helps every reader. Nothing here looks at a clock.
 */
import { assert } from "./assert.ts";
import type { Random } from "./ports.ts";

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function isUuid(value: unknown): value is string {
  return typeof value === "string" && uuidPattern.test(value);
}

/** A new id: a UUIDv7 of `timeMs` (ms since 1970). */
export function makeId(timeMs: number, random: Random): string {
  return format(timeMs, random.bytes(10));
}

/** A UUIDv7 of `timeMs` (ms since 1970) and 10 random bytes. */
export function uuidv7(timeMs: number, random: Uint8Array): string {
  assert(random.length >= 10, `uuidv7 needs 10 random bytes, got ${random.length}`);
  return format(timeMs, random);
}

/** The version stands in the place of the first 4 random bits, the variant and two zeros in that of the 17th to 20th. */
function format(timeMs: number, random: Uint8Array): string {
  const time = hex(Math.max(0, Math.floor(timeMs)), 12);
  const tail = Array.from(random, (byte) => hex(byte, 2)).join("");
  return (time + tail).replace(/(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, "$1-$2-7$3-8$4-$5");
}

function hex(value: number, digits: number): string {
  return (16 ** digits + value).toString(16).slice(-digits);
}

/** The time in a UUIDv7, in ms since 1970; undefined where `id` is not one. */
export function uuidv7TimeMs(id: string): number | undefined {
  if (!isUuid(id) || id[14] !== "7") return undefined;
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/**
 * Makes UUIDv7 that rise within a millisecond too (RFC 9562 section 6.2, method 1): what is sorted by id is
 * sorted by the order of making. `now` may stand still or jump back; ids never do.
 */
export function createMonotonicIds(bytes: (count: number) => Uint8Array): (nowMs: number) => string {
  const countMax = 0xfff;
  let lastMs = 0;
  let count = 0;
  return (nowMs) => {
    if (nowMs > lastMs) {
      lastMs = nowMs;
      count = 0;
    } else if (count < countMax) count += 1;
    else {
      lastMs += 1;
      count = 0;
    }
    const random = bytes(10);
    random[0] = count >> 8;
    random[1] = count & 0xff;
    return uuidv7(lastMs, random);
  };
}
