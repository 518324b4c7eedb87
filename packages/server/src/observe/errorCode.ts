/** The code of a caught value, for labels and spans: the database's own where it has one, else the kind of error. */
import { toError } from "./errorRecord.ts";

export function codeOf(caught: unknown): string {
  const { code, errcode, name } = toError(caught) as Error & { code?: unknown; errcode?: unknown };
  const known = [code, errcode].find((value) => typeof value === "string" || typeof value === "number");
  return String(known ?? name);
}
