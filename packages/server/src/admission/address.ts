/**
 * The address that an opening counts against (AD-1): one text for one neighbour, however the socket writes it.
 *
 * An IPv4 address inside of IPv6 is the IPv4 address. An IPv6 address is its network of 64 bits, since its holder
 * has them all. Pure; what a proxy says of an address is judged elsewhere.
 */
import { isIPv6 } from "node:net";

const groups = 8;
/** Of a network of 64 bits. */
const networkGroups = 4;

/** `address` as the operating system gives it; what is none stays as it is. */
export function neighbourOf(address: string): string {
  const [bare = address] = address.split("%");
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(bare)) return address;
  return `${expanded(bare).slice(0, networkGroups).join(":")}::/64`;
}

/** The eight groups, without leading zeros. */
function expanded(address: string): string[] {
  const [head = "", tail] = address.toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = Math.max(0, groups - before.length - after.length);
  return [...before, ...Array.from({ length: missing }, () => "0"), ...after].map((group) =>
    Number.parseInt(group, 16).toString(16),
  );
}
