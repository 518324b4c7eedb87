/**
 * Whether a failure is the database's own, or that of one statement (AD-2).
 *
 * A lost connection, a wait that ran out, SQLSTATE classes 08, 53, 57 and 58, SQLite's IOERR, FULL and CANTOPEN:
 * these concern everybody who asks. A row that does not parse, a missing table, a refused permission concern who
 * asked, and nobody else. Pure: it reads codes along the chain of causes, and nothing of a message.
 */

/** The store's process, thread or connection ended, or did not answer in time. */
export class StoreLost extends Error {
  override readonly name = "StoreLost";
}

/** Causes of causes that are looked at. */
const depthMax = 8;

/** SQLite's primary result codes: BUSY (a wait for its lock that ran out), IOERR, FULL, CANTOPEN. */
const sqliteCodes: ReadonlySet<number> = new Set([5, 10, 13, 14]);
/** Connection exceptions, insufficient resources, operator intervention, system errors. */
const sqlStateClasses: ReadonlySet<string> = new Set(["08", "53", "57", "58"]);
/** Of the operating system, on the way to a database elsewhere. */
const systemCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
]);

/** A database on this machine that is stopped takes its socket away; an app that misses a file of its own is no outage. */
const missingSocket = { code: "ENOENT", syscall: "connect" } as const;

/** True for a failure of the database itself. */
export function isOutage(error: unknown): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < depthMax && typeof current === "object" && current !== null; depth += 1) {
    if (current instanceof StoreLost) return true;
    const { errcode, code, syscall, cause } = current as Readonly<
      Record<"errcode" | "code" | "syscall" | "cause", unknown>
    >;
    if (code === missingSocket.code && syscall === missingSocket.syscall) return true;
    if (typeof errcode === "number") return sqliteCodes.has(errcode & 0xff);
    if (typeof code === "string" && isKnownCode(code)) return isOutageCode(code);
    current = cause;
  }
  return false;
}

/** An SQLSTATE or a code of the operating system; `store_unavailable` and the like say nothing of the cause. */
function isKnownCode(code: string): boolean {
  return systemCodes.has(code) || /^[0-9A-Z]{5}$/.test(code);
}

function isOutageCode(code: string): boolean {
  return systemCodes.has(code) || sqlStateClasses.has(code.slice(0, 2));
}
