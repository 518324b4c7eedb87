/**
 * What `holdfast doctor` is asked to examine: an address, who comes, from which page, and which stream.
 *
 * Invariants: no sentence repeats a key, or an address that may hold a secret (a sign-in link, a password); and no key
 * goes beyond this machine in the clear.
 */
import { limits } from "@holdfast/protocol";
import { quoted, readFlags } from "../commandLine/flags.ts";

export interface Target {
  /** `https://fleet.example.org`, as a browser writes it. */
  readonly origin: string;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** API key or token; undefined where nobody says who they are. */
  readonly key: string | undefined;
  /** The `Origin` of a page that connects; undefined for a program. */
  readonly page: string | undefined;
  readonly stream: string;
}

export interface TargetInput {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file named by a flag; undefined where there is none. May throw what the system says. */
  readonly readFile: (path: string) => string | undefined;
}

const flagTable = { key: "value", "key-file": "value", origin: "value", stream: "value" } as const;
/** As in the protocol's `token`. */
const keyCharactersMax = 16_384;
const defaultStream = "fleet";
const usage = "write holdfast doctor http://127.0.0.1:4400";

/** The target, or the one sentence why there is none. */
export function doctorTarget(input: TargetInput): Target | { readonly problem: string } {
  const flags = readFlags(input.argv, flagTable);
  if (flags.kind === "problem") return { problem: flags.sentence };
  const [address, extra] = [...flags.words, ...(flags.command ?? [])];
  if (address === undefined) return { problem: `An address is missing; ${usage}.` };
  if (extra !== undefined) return { problem: `There is one word too many behind the address; ${usage}.` };
  const server = serverOf(address);
  if (typeof server === "string") return { problem: server };
  const key = keyOf(flags.values, input);
  if (typeof key === "object") return key;
  if (key !== undefined && !server.secure && !isLoopback(server.host))
    return {
      problem: `The key would go to ${server.origin} in the clear; begin the address with https://, or leave --key, --key-file and HOLDFAST_KEY out.`,
    };
  const page = flags.values.get("origin");
  if (page !== undefined && (!URL.canParse(page) || new URL(page).origin !== page))
    return { problem: `--origin is ${quoted(page)}, but must be a page's origin, like https://app.example.org.` };
  const stream = flags.values.get("stream") ?? defaultStream;
  if (stream.length > limits.nameLengthMax || !/^[A-Za-z0-9][A-Za-z0-9._:@/+-]*$/.test(stream))
    return { problem: `--stream is ${quoted(stream)}, but must be a stream's name, like ${defaultStream}.` };
  return { ...server, key, page, stream };
}

function serverOf(address: string): Pick<Target, "origin" | "host" | "port" | "secure"> | string {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    return `The address must begin with http:// or https://; ${usage}.`;
  const { protocol, origin, hostname, port, pathname, search, hash, username, password } = new URL(address);
  if (username + password !== "") return `The address has a user or a password in it; leave them out: ${usage}.`;
  if (pathname !== "/" || search !== "" || hash !== "")
    return `The address has more behind ${origin}; give the server's address alone: holdfast doctor ${origin}.`;
  const secure = protocol === "https:";
  return { origin, host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (secure ? 443 : 80), secure };
}

/** Names and addresses of this machine itself, as `URL` writes them. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function keyOf(
  values: ReadonlyMap<string, string>,
  { environment, readFile }: TargetInput,
): string | undefined | { readonly problem: string } {
  const [given, file] = [values.get("key"), values.get("key-file")];
  if (given !== undefined && file !== undefined)
    return { problem: "--key and --key-file are both given; pass one of them." };
  let text = given ?? environment["HOLDFAST_KEY"] ?? "";
  if (file !== undefined) {
    try {
      const read = readFile(file);
      if (read === undefined)
        return { problem: `--key-file ${quoted(file)} is not there; name a file that holds a key.` };
      text = read;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { problem: `--key-file ${quoted(file)} cannot be read (${reason}); make it readable.` };
    }
  }
  const key = text.trim();
  if (key === "") {
    if (given === undefined && file === undefined) return undefined;
    return {
      problem: `The key of ${file === undefined ? "--key" : "--key-file"} is empty; pass an API key or a token.`,
    };
  }
  if (key.length > keyCharactersMax || /[^\x21-\x7e]|["\\]/.test(key))
    return {
      problem:
        "The key is no API key and no token: it has spaces, quotes or other letters, or is too long; pass it alone.",
    };
  return key;
}
