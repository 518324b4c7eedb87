/**
 * Turns a log line's fields into plain data of bounded size that is safe to write and to show.
 *
 * Fields come from everywhere, hostile frames included. What comes out is JSON's own types only, cut at the
 * limits below, without credentials (L2) or control characters (L1). Errors, at any depth, become records,
 * and so does whatever a field named `error` or `cause` holds (F03). What has no fields is left out, or named by its
 * class: `{}` says nothing (I9).
 * Invariant: it never throws, and its result never holds a cycle. It deliberately ignores `toJSON`, which
 * is code of whoever made the value.
 */
import { types } from "node:util";
import { errorRecord } from "./errorRecord.ts";
import { isSecretField, masked } from "./masking.ts";
import { plainText } from "./plainText.ts";

/** Levels of objects and lists below a field. */
export const depthMax = 6;
/** Members of one object or list. */
export const membersMax = 100;

/** The same fields as plain data. A value that is no object becomes no fields. */
export function plainFields(fields: object): Readonly<Record<string, unknown>> {
  const result = plain(fields, 0, []);
  return typeof result === "object" && result !== null && !Array.isArray(result)
    ? (result as Record<string, unknown>)
    : { value: result };
}

function plain(value: unknown, depth: number, above: readonly unknown[]): unknown {
  switch (typeof value) {
    case "string":
      return plainText(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
    case "undefined":
      return value;
    case "object":
      return value === null ? null : plainObject(value, depth, above);
    case "bigint":
      return value.toString();
    case "symbol":
      return plainText(value.toString());
    default:
      return "[function]";
  }
}

function plainObject(value: object, depth: number, above: readonly unknown[]): unknown {
  if (types.isNativeError(value) || value instanceof Error) return errorRecord(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid date" : value.toISOString();
  if (value instanceof URL) return plainText(value.origin + value.pathname);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (above.includes(value)) return "[circular]";
  if (depth >= depthMax) return "[deeper]";
  const path = [...above, value];
  if (Array.isArray(value)) return plainList(value, depth, path);
  if (value instanceof Set) return plainList([...value], depth, path);
  if (value instanceof Map)
    return plainMembers(
      [...value].map(([name, member]) => [String(name), member]),
      depth,
      path,
    );
  const own = members(value);
  return own.length === 0 && !isPlain(value) ? `[${classOf(value)}]` : plainMembers(own, depth, path);
}

function isEmpty(shown: unknown): boolean {
  return typeof shown === "object" && shown !== null && !Array.isArray(shown) && Object.keys(shown).length === 0;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Of whatever has nothing of its own to show, as a promise. */
function classOf(value: object): string {
  try {
    const shown = Object.prototype.toString.call(value).slice("[object ".length, -1);
    const { constructor: made } = value;
    return plainText(shown === "Object" && typeof made === "function" ? made.name : shown) || "object";
  } catch {
    return "unreadable";
  }
}

function plainList(list: readonly unknown[], depth: number, path: readonly unknown[]): unknown[] {
  const kept = list.slice(0, membersMax).map((member) => {
    const shown = plain(member, depth + 1, path);
    return isEmpty(shown) ? "[no fields]" : shown;
  });
  return list.length > membersMax ? [...kept, `… (${list.length} in all)`] : kept;
}

function plainMembers(list: readonly (readonly [string, unknown])[], depth: number, path: readonly unknown[]): unknown {
  const result: Record<string, unknown> = Object.create(null);
  for (const [name, member] of list.slice(0, membersMax)) {
    const shown = plainText(name);
    if (isSecretField(name, member)) result[shown] = masked;
    else if (name === "error" || name === "cause") result[shown] = errorRecord(member);
    else {
      const shownAs = plain(member, depth + 1, path);
      if (shownAs !== undefined && !isEmpty(shownAs)) result[shown] = shownAs;
    }
  }
  if (list.length > membersMax) result["…"] = `${list.length} in all`;
  return result;
}

function members(value: object): (readonly [string, unknown])[] {
  return Object.keys(value).map((name) => {
    try {
      return [name, (value as Record<string, unknown>)[name]] as const;
    } catch {
      return [name, "[unreadable]"] as const;
    }
  });
}
