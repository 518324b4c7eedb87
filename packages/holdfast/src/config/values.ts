/**
 * How a setting's value is judged, whichever layer it comes from: text in flags and environment, JSON in a file.
 *
 * A kind turns a raw value into the typed one or says what it expected. Invariant: it never throws and never
 * repairs: what is not plainly right is refused. It deliberately knows no field and no layer.
 */
import { isIPv4 } from "node:net";

export type Judged<Value> = { readonly value: Value } | { readonly expected: string };

export interface Kind<Value> {
  /** From a flag or an environment variable. */
  readonly fromText: (text: string) => Judged<Value>;
  /** From the configuration file. */
  readonly fromJson: (json: unknown) => Judged<Value>;
}

/** A whole number in a range; `hint` says what to do. */
export function integer(min: number, max: number, hint: string): Kind<number> {
  const expected = `a whole number from ${min} to ${max}; ${hint}`;
  const judge = (value: unknown): Judged<number> =>
    typeof value === "number" && Number.isInteger(value) && value >= min && value <= max ? { value } : { expected };
  return { fromText: (text) => (/^\d{1,9}$/.test(text) ? judge(Number(text)) : { expected }), fromJson: judge };
}

/** One of some words. */
export function choice<const Word extends string>(words: readonly Word[]): Kind<Word> {
  const expected = `one of ${words.join(", ")}`;
  const judge = (value: unknown): Judged<Word> => {
    const word = words.find((one) => one === value);
    return word === undefined ? { expected } : { value: word };
  };
  return { fromText: judge, fromJson: judge };
}

/** True or false. */
export function truth(): Kind<boolean> {
  const expected = "true or false";
  return {
    fromText: (text) => (text === "true" ? { value: true } : text === "false" ? { value: false } : { expected }),
    fromJson: (json) => (typeof json === "boolean" ? { value: json } : { expected }),
  };
}

/** A path; relative ones count from where the command is run. */
export function path(): Kind<string> {
  const expected = "a path of a folder, without a NUL character";
  const judge = (value: unknown): Judged<string> =>
    typeof value === "string" && value !== "" && !value.includes("\0") ? { value } : { expected };
  return { fromText: judge, fromJson: judge };
}

/** An address of this machine only, until TLS is there. */
export function loopbackHost(): Kind<string> {
  const expected =
    "an address of this machine only (127.0.0.1, ::1 or localhost), since without TLS others could read what is sent; use 127.0.0.1";
  const judge = (value: unknown): Judged<string> =>
    typeof value === "string" &&
    (value === "localhost" || value === "::1" || (isIPv4(value) && value.startsWith("127.")))
      ? { value }
      : { expected };
  return { fromText: judge, fromJson: judge };
}

/** Web origins: a list in JSON, separated by commas in text. */
export function origins(): Kind<readonly string[]> {
  const expected = "web origins like https://example.org, without path or wildcard, separated by commas";
  const judge = (value: unknown): Judged<readonly string[]> =>
    Array.isArray(value) && value.every(isOrigin) ? { value } : { expected };
  return { fromText: (text) => judge(text.split(",").map((one) => one.trim())), fromJson: judge };
}

function isOrigin(value: unknown): value is string {
  if (typeof value !== "string" || !URL.canParse(value)) return false;
  const url = new URL(value);
  return (url.protocol === "https:" || url.protocol === "http:") && url.origin === value;
}
