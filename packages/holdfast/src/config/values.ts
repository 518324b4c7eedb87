/**
 * How a setting's value is judged, whichever layer it comes from: text in flags and environment, JSON in a file.
 *
 * A kind turns a raw value into the typed one or says what it expected. Invariant: it never throws and never
 * repairs: what is not plainly right is refused. It deliberately knows no field and no layer.
 */
import { isIP } from "node:net";

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

/** Where to listen: an address, or `localhost`. Whether it may be that one is the server's to say. */
export function address(): Kind<string> {
  const expected = "an address to listen on, such as 127.0.0.1, ::1 or 0.0.0.0, or localhost";
  const judge = (value: unknown): Judged<string> =>
    typeof value === "string" && (value === "localhost" || isIP(value) !== 0) ? { value } : { expected };
  return { fromText: judge, fromJson: judge };
}

/** What may be left out: `null` in JSON; as text it is given or absent. */
export function optional<Value>(kind: Kind<Value>): Kind<Value | null> {
  return { fromText: kind.fromText, fromJson: (json) => (json === null ? { value: null } : kind.fromJson(json)) };
}

/** One web origin. */
export function origin(): Kind<string> {
  const expected = "a web origin like https://fleet.example.org, without path";
  const judge = (value: unknown): Judged<string> =>
    typeof value === "string" && isOrigin(value) ? { value } : { expected };
  return { fromText: judge, fromJson: judge };
}

/** Any text but an empty one. */
export function plainText(): Kind<string> {
  const expected = "a text that is not empty";
  const judge = (value: unknown): Judged<string> =>
    typeof value === "string" && value.trim() !== "" ? { value } : { expected };
  return { fromText: judge, fromJson: judge };
}

/** 32 random bytes. What it must be is said without repeating it: it is a secret. */
export function randomKey(): Kind<string> {
  const expected = "32 random bytes in base64url, as openssl rand -base64 32 | tr +/ -_ | tr -d = makes them";
  const judge = (value: unknown): Judged<string> =>
    typeof value === "string" && /^[\w-]{43}$/.test(value) ? { value } : { expected };
  return { fromText: judge, fromJson: judge };
}

/** Where a service on the web is: with a path, where it has one. */
export function webAddress(): Kind<string> {
  const expected = "a web address like https://id.example.org";
  const judge = (value: unknown): Judged<string> =>
    typeof value === "string" && /^https?:\/\//.test(value) && URL.canParse(value) ? { value } : { expected };
  return { fromText: judge, fromJson: judge };
}

/** A list of plain objects of texts: JSON in every layer. `names`: what each may have, the first of which it must. */
export function records<Name extends string>(
  names: readonly [Name, ...Name[]],
): Kind<readonly Readonly<Partial<Record<Name, string>>>[]> {
  const [must] = names;
  const expected = `a JSON list of objects like [{"${must}": "…"}], with texts for ${names.join(", ")}`;
  const isRecord = (one: unknown): one is Readonly<Record<Name, string>> =>
    typeof one === "object" &&
    one !== null &&
    must in one &&
    Object.entries(one).every(([name, value]) => names.some((known) => known === name) && typeof value === "string");
  const fromJson = (json: unknown): Judged<readonly Readonly<Record<Name, string>>[]> =>
    Array.isArray(json) && json.every(isRecord) ? { value: json } : { expected };
  const fromText = (text: string) => {
    try {
      return fromJson(JSON.parse(text));
    } catch {
      return { expected };
    }
  };
  return { fromJson, fromText };
}

/** Where a PostgreSQL is. What it must be is said without repeating it: it may hold a password. */
export function databaseUrl(): Kind<string> {
  const expected = "a URL of PostgreSQL like postgres://user:password@host:5432/database";
  const judge = (value: unknown): Judged<string> =>
    typeof value === "string" && /^postgres(?:ql)?:\/\//.test(value) && URL.canParse(value) ? { value } : { expected };
  return { fromText: judge, fromJson: judge };
}

/** Addresses and networks: a list in JSON, separated by commas in text. */
export function networks(): Kind<readonly string[]> {
  const expected = "addresses like 10.1.2.3 or networks like 10.0.0.0/8, separated by commas";
  const isNetwork = (value: unknown): boolean =>
    typeof value === "string" && /^[^/]+(?:\/\d{1,3})?$/.test(value) && isIP(value.replace(/\/.*$/, "")) !== 0;
  const judge = (value: unknown): Judged<readonly string[]> =>
    Array.isArray(value) && value.every(isNetwork) ? { value } : { expected };
  return { fromText: (text) => judge(text.split(",").map((one) => one.trim())), fromJson: judge };
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
