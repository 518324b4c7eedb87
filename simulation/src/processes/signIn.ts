/**
 * Signing in from a Node process as a person's browser does it: a code from the data folder's key, a cookie for the code,
 * and the cookie with each request; renewed where the server renews it.
 *
 * All of it goes through a given port of loopback, so that a bad network lies between, while the server hears its own
 * address. The cookie lies in a file, and so survives the process.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";

const answerMsMax = 10_000;
const answerBytesMax = 1024 * 1024;

export interface Door {
  /** The server's, http. */
  readonly url: string;
  /** Where its bytes go: a proxy's port of loopback. */
  readonly via: number;
  readonly cookieFile: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The cookie, or undefined where nobody is signed in. */
export function cookieOf({ cookieFile }: Door): string | undefined {
  try {
    return readFileSync(cookieFile, "utf8");
  } catch {
    return undefined;
  }
}

/** When what the cookie says ends, ms since 1970: a credential that has ended is no failure of anybody (AU-8). */
export function cookieEndsAt(door: Door): number | undefined {
  const claims = cookieOf(door)?.split(".")[1];
  if (claims === undefined) return undefined;
  const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { readonly exp: number };
  return exp * 1_000;
}

/** Makes a session by the operator's key of the data folder. Rejects where the server is not there. */
export async function signIn(door: Door, data: string): Promise<void> {
  const key = readFileSync(join(data, "operator.key"), "utf8").trim();
  const made = await ask(door, "POST", "/api/sign-in-codes", { body: {}, key });
  if (made.status !== 200) throw new Error(`a sign-in code was refused with ${made.status}`);
  const entered = await ask(door, "POST", "/api/session", { body: made.body, withoutCookie: true });
  if (entered.status !== 200) throw new Error(`signing in was refused with ${entered.status}`);
}

/** One request with the cookie; a new one that comes back is kept. */
export async function ask(
  door: Door,
  method: "GET" | "POST" | "DELETE",
  path: string,
  how: {
    readonly body?: unknown;
    readonly key?: string;
    readonly withoutCookie?: boolean;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer> {
  const cookie = how.withoutCookie === true || how.key !== undefined ? undefined : cookieOf(door);
  const { host, origin } = new URL(door.url);
  const text = method === "GET" ? undefined : JSON.stringify(how.body ?? {});
  const response = await new Promise<IncomingMessage>((done, failed) => {
    const asked = request({
      method,
      path,
      host: "127.0.0.1",
      timeout: answerMsMax,
      createConnection: () => connect({ port: door.via, host: "127.0.0.1" }),
      headers: {
        host,
        origin,
        connection: "close",
        ...(cookie === undefined ? {} : { cookie }),
        ...(how.key === undefined ? {} : { authorization: `Bearer ${how.key}` }),
        ...(text === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
        ...how.headers,
      },
    });
    asked.once("timeout", () => asked.destroy(new Error(`no answer to ${path} within ${answerMsMax} ms`)));
    asked.once("error", failed);
    asked.once("response", done);
    asked.end(text);
  });
  const body = await bodyOf(response);
  for (const line of response.headers["set-cookie"] ?? []) {
    const pair = line.split(";")[0] ?? "";
    if (pair.startsWith("holdfast_session")) writeFileSync(door.cookieFile, pair);
  }
  return { status: response.statusCode ?? 0, body };
}

async function bodyOf(response: IncomingMessage): Promise<unknown> {
  let text = "";
  response.setEncoding("utf8");
  for await (const piece of response) {
    text += String(piece);
    if (text.length > answerBytesMax) throw new Error("the answer is too long");
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
