/**
 * Makes of whatever was caught a real error, and of an error something that a log can hold (F03, I9).
 *
 * Anything can be thrown: a string, `undefined`, a plain object, an error of another realm. {@link toError}
 * is the one place where that ends; {@link errorRecord} writes name, message, code, stack and the chain of
 * causes. Invariant: a record always has a name and a message, so `{}` never appears, and it is bounded
 * whatever the error holds. It deliberately does not decide who may read it: records are for the log only.
 */
import { types } from "node:util";
import { isSecretField, masked } from "./masking.ts";
import { plainText } from "./plainText.ts";

/** Errors under an error, each by `cause` or in `errors`, counted along one path. */
export const causesMax = 8;
/** Members of one `AggregateError` that are written. */
export const aggregatedErrorsMax = 8;
/** Further fields of one error or thrown object that are written. */
export const errorFieldsMax = 20;

export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  /** The frames only, one a line: the message stands above, escaped. */
  readonly stack?: string;
  readonly cause?: ErrorRecord;
  readonly errors?: readonly ErrorRecord[];
  /** What else the error carried: `errno`, `syscall`, a database's details. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

/** The caught value itself where it is an error of any realm; else an error that tells what was thrown. */
export function toError(caught: unknown): Error {
  if (isError(caught)) return caught;
  const error: Error & { code?: unknown } = new Error(describe(caught), { cause: caught });
  error.name = "ThrownValue";
  if (typeof caught === "object" && caught !== null) {
    const code = read(caught, "code");
    if (typeof code === "string" || typeof code === "number") error.code = code;
  }
  return error;
}

/** The record of a caught value, its causes included. */
export function errorRecord(caught: unknown): ErrorRecord {
  return record(caught, 0, new Set());
}

function record(caught: unknown, depth: number, seen: Set<unknown>): ErrorRecord {
  const error = toError(caught);
  if (seen.has(error)) return { name: "Circular", message: "this error is its own cause" };
  if (depth > causesMax) return { name: "Truncated", message: `more than ${causesMax} causes deep` };
  seen.add(error);
  const code = read(error, "code");
  const stack = frames(error);
  const cause = read(error, "cause");
  const errors = read(error, "errors");
  const rest = scalarFields(error, writtenApart);
  return {
    name: plainText(String(read(error, "name") ?? "Error")) || "Error",
    message: plainText(String(read(error, "message") ?? "")) || "(no message)",
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(stack === "" ? {} : { stack }),
    ...(cause === undefined || error.name === "ThrownValue" ? {} : { cause: record(cause, depth + 1, seen) }),
    ...(Array.isArray(errors)
      ? { errors: errors.slice(0, aggregatedErrorsMax).map((one) => record(one, depth + 1, seen)) }
      : {}),
    ...(Object.keys(rest).length === 0 ? {} : { fields: rest }),
  };
}

/** `isNativeError` knows the errors of other realms, which `instanceof` does not. */
function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

function describe(caught: unknown): string {
  if (typeof caught === "string") return caught === "" ? "an empty string was thrown" : caught;
  if (typeof caught !== "object" || caught === null) return `${String(caught)} was thrown`;
  const message = read(caught, "message");
  if (typeof message === "string" && message !== "") return message;
  const fields = scalarFields(caught, new Set());
  return Object.keys(fields).length === 0
    ? `an object without readable fields was thrown: ${Object.prototype.toString.call(caught)}`
    : `an object was thrown: ${JSON.stringify(fields)}`;
}

/** The stack without its first lines, which repeat the message unescaped and could forge a frame. */
function frames(error: Error): string {
  const stack = read(error, "stack");
  if (typeof stack !== "string") return "";
  const header = `${error.name}: ${error.message}`;
  const body = stack.startsWith(header) ? stack.slice(header.length) : stack;
  return body
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) => plainText(line))
    .join("\n");
}

const writtenApart: ReadonlySet<string> = new Set(["name", "message", "stack", "code", "cause", "errors"]);

/** Only what is text, number or truth value: an error may carry whole sockets and requests. */
function scalarFields(from: object, without: ReadonlySet<string>): Readonly<Record<string, string | number | boolean>> {
  const fields: Record<string, string | number | boolean> = {};
  for (const name of Object.keys(from).slice(0, errorFieldsMax)) {
    const value = without.has(name) ? undefined : read(from, name);
    const shown = plainText(name);
    if (typeof value === "string") fields[shown] = isSecretField(name, value) ? masked : plainText(value);
    else if (typeof value === "number" || typeof value === "boolean") fields[shown] = value;
    else if (typeof value === "bigint") fields[shown] = value.toString();
  }
  return fields;
}

/** A getter may throw, and must not take the log line with it. */
function read(from: object, name: string): unknown {
  try {
    return (from as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}
