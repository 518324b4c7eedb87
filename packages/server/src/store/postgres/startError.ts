/** Why a database cannot be used, as one sentence that says what to do. Pure: it reads codes, and of what has none its words. */
import { StartError } from "../../options.ts";
import { NewerStore } from "../migrate.ts";
import type { PostgresAddress } from "./address.ts";
import { ForeignMigrations } from "./migrating.ts";

export function startError({ inWords }: PostgresAddress, error: unknown): StartError {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof NewerStore || error instanceof ForeignMigrations)
    return new StartError(`The database ${inWords} cannot be used: ${reason}.`, { cause: error });
  return new StartError(`The database ${inWords} cannot be used (${reason}): ${adviceFor(error, reason)}.`, {
    cause: error,
  });
}

function adviceFor(error: unknown, reason: string): string {
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown };
  // The driver's own words, which have no code.
  if (/does not support SSL|establishing an SSL connection/.test(reason)) return plainAdvice;
  if (syscall === "open") return fileAdvice;
  return advices.find(([codes]) => codes.some((one) => one === code))?.[1] ?? unreachableAdvice;
}

const unreachableAdvice = "check that it runs and can be reached, or name another with --database-url";
const plainAdvice = "switch TLS on there, or leave sslmode out of --database-url where nobody can listen in between";
const fileAdvice = "name a file that this user may read as sslrootcert, sslcert or sslkey in --database-url";

/** What to do, by SQLSTATE, and by the codes of TLS. */
const advices: readonly (readonly [readonly string[], string])[] = [
  [["28P01"], "check user and password in --database-url"],
  [
    ["28000"],
    "check user and password in --database-url, and where it takes encrypted connections only, add ?sslmode=verify-full",
  ],
  [
    [
      "SELF_SIGNED_CERT_IN_CHAIN",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    ],
    "name the file of its certificate's authority as sslrootcert in --database-url or in NODE_EXTRA_CA_CERTS, or write sslmode=no-verify to encrypt without knowing whose it is",
  ],
  [
    ["ERR_TLS_CERT_ALTNAME_INVALID", "CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"],
    "its certificate is for another name or another time: name it as the certificate does in --database-url, or renew that",
  ],
  [["3D000"], "create the database, or name another with --database-url"],
  [["53300"], "end some of its connections or raise max_connections; a server takes up to six"],
  [
    ["42501"],
    "give the user the right to create tables there and to use those that are there, or name another with --database-url",
  ],
  [
    ["55P03"],
    "a transaction of somebody else holds a table that must be changed (pg_stat_activity shows it), and nothing was changed; end it or wait for its end, then start again",
  ],
  [
    ["25006", "0A000"],
    "it takes no writes, as a replica or a read-only database; name the one that does with --database-url",
  ],
  // A table or column that is there already, or is missing: half of a store, or something else's tables.
  [
    ["42P07", "42701", "42P01", "42703", "42704", "42710"],
    "it holds a part of a store or tables of something else, and was left as it is; restore a backup of it, or name an empty database with --database-url",
  ],
];
