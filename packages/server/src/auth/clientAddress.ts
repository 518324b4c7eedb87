/**
 * Whose request it is, behind proxies: the socket's peer, or whom the configured proxies name (W8).
 *
 * `X-Forwarded-For` is read from its end, where the nearest proxy wrote: as long as an address is a configured
 * proxy's, the one before it counts. Invariants: a stranger's header changes nothing; what a proxy hands on from
 * further out is believed no further than the first address that is not a proxy's. Pure. `Forwarded`,
 * `X-Forwarded-Host` and `X-Forwarded-Proto` are deliberately never read: our name and scheme are `publicUrl`.
 */
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { StartError } from "../options.ts";
import { type RawHeaders, valuesOf } from "./headers.ts";

/** Addresses that are read of one request: nobody has more proxies. */
const hopsMax = 20;

/** Whether an address is a proxy of ours. */
export type IsProxy = (address: string) => boolean;

/** From addresses and networks (`10.0.0.0/8`). Throws a `StartError` that names a wrong one. */
export function proxiesOf(entries: readonly string[]): IsProxy {
  const list = new BlockList();
  for (const entry of entries) addEntry(list, entry);
  return (address) => {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  };
}

function addEntry(list: BlockList, entry: string): void {
  const [address = "", bits, extra] = entry.split("/");
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const most = family === "ipv4" ? 32 : 128;
  const isWhole = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (isIP(address) === 0 || !isWhole || extra !== undefined)
    throw new StartError(
      `trustProxies: ${JSON.stringify(entry)} is no address; write it like 10.1.2.3, or 10.0.0.0/8 for a network.`,
    );
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}

/** The address that counts for limits and log lines. */
export function clientAddress(peer: string | undefined, headers: RawHeaders, isProxy: IsProxy): string {
  let client = plainAddress(peer ?? "unknown");
  const hops = valuesOf(headers, "x-forwarded-for")
    .flatMap((value) => value.split(","))
    .slice(-hopsMax);
  while (isProxy(client)) {
    const before = plainAddress(withoutPort(hops.pop()?.trim() ?? ""));
    // A proxy that names nobody, or something that is no address, is the client itself.
    if (isIP(before) === 0) break;
    client = before;
  }
  return client;
}

/** Some proxies name the port that their client comes from, too: it tells no two clients apart that are to be one. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(hop)?.[1] ?? hop;
}

/** An IPv4 address as such, also where the system gives it as a part of IPv6. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}
