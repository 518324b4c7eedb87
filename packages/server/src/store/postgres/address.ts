/**
 * Where a PostgreSQL is and who asks, from its URL, and the same in words that hold no secret.
 */
import { BlockList, isIP } from "node:net";
import { StartError } from "../../options.ts";

const portByDefault = 5_432;

export interface PostgresAddress {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** `user@host:port/database`, for the log and for sentences: never the password, nor any parameter. */
  readonly inWords: string;
  /** What is sent to it, password and all, crosses networks of others, and the URL asks for no TLS. */
  readonly inTheClear: boolean;
}

/** Throws a `StartError` that does not repeat the URL, since it may hold a password. */
export function postgresAddress(url: string): PostgresAddress {
  const wrong = new StartError(
    "The database URL is not one of PostgreSQL; write postgres://user:password@host:5432/database.",
  );
  if (!URL.canParse(url)) throw wrong;
  const { protocol, username, hostname, port, pathname, searchParams } = new URL(url);
  if (protocol !== "postgres:" && protocol !== "postgresql:") throw wrong;
  // A folder of sockets is named so.
  const host = searchParams.get("host") ?? (hostname === "" ? "localhost" : hostname);
  const user = username === "" ? "" : `${decoded(username) ?? username}@`;
  const place = { host, port: port === "" ? portByDefault : Number(port), database: pathname.slice(1) };
  const inTheClear = isFarAway(host) && !asksForTls(searchParams);
  return { url, ...place, inWords: `${user}${host}:${place.port}${pathname}`, inTheClear };
}

/** As the driver reads it. */
function asksForTls(parameters: URLSearchParams): boolean {
  const mode = parameters.get("sslmode");
  if (mode !== null) return mode !== "disable";
  return (
    ["sslcert", "sslkey", "sslrootcert"].some((name) => parameters.has(name)) ||
    ["1", "true"].includes(parameters.get("ssl") ?? "") ||
    parameters.get("sslnegotiation") === "direct"
  );
}

/** Networks that are one's own: of the machine, of containers, of a house, of a virtual private network. */
const near = new BlockList();
for (const [network, prefix] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const)
  near.addSubnet(network, prefix);
for (const [network, prefix] of [
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
] as const)
  near.addSubnet(network, prefix, "ipv6");

/** A folder of sockets, a name without a dot and the names that private networks have are near. */
function isFarAway(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "");
  const family = isIP(address);
  if (family !== 0) return !near.check(address, family === 6 ? "ipv6" : "ipv4");
  return !host.startsWith("/") && host.includes(".") && !/\.(local|localhost|internal|lan|home\.arpa)\.?$/i.test(host);
}

/** undefined where a `%` begins no character: the driver takes such a text as it is. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
