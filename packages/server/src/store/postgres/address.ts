/**
 * Where a PostgreSQL is and who asks, from its URL, and the same in words that hold no secret.
 */
import { StartError } from "../../options.ts";

const portByDefault = 5_432;

export interface PostgresAddress {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** `user@host:port/database`, for the log and for sentences: never the password, nor any parameter. */
  readonly inWords: string;
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
  return { url, ...place, inWords: `${user}${host}:${place.port}${pathname}` };
}

/** undefined where a `%` begins no character: the driver takes such a text as it is. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
