/**
 * Signing in and out over HTTP: the few calls that are not the session's.
 *
 * A one-time code comes in the address's fragment (which no server and no log ever sees), or is pasted. It
 * is exchanged for a cookie that scripts cannot read; the page keeps neither. Errors come as RFC 9457.
 */

/** A call that takes longer counts as no answer. */
export const signInTimeoutMs = 10_000;
/** Told to a person where the server names no time. */
const waitMsUntold = 60_000;
/** Codes are short; what is longer is not one. */
const codeLengthMax = 512;

export interface About {
  readonly mode: "local" | "development" | "production";
  readonly user: {
    readonly id: string;
    readonly name: string;
    readonly role: string;
    readonly workspace: string;
    readonly temporary: boolean;
  } | null;
  readonly version: string;
  /** `sqlite` or `postgres`. */
  readonly store: string;
  /** What this person may use; absent where nobody is signed in. Read when the page is loaded. */
  readonly features?: { readonly tabSharing?: boolean } | undefined;
  /** A link signs somebody in, so people can be invited; absent where none does. */
  readonly links?: boolean | undefined;
  /** Faults of the whole server that can be asked for; absent but in development mode. */
  readonly faults?: readonly string[] | undefined;
  /** E-mail and password sign somebody in, or a link by e-mail; absent where they do not. */
  readonly passwords?: boolean | undefined;
  /** Nobody is signed in now, and a refresh may do it. */
  readonly renewable?: boolean;
  /** Where people may sign in besides; absent where there is nothing. */
  readonly providers?: readonly ProviderLink[] | undefined;
}

/** How somebody may come in here. */
export type SignInWays = Pick<About, "links" | "passwords" | "providers">;

/** A provider with a sign-in page of its own. `start`: a path of this server. */
export interface ProviderLink {
  readonly name: string;
  readonly start: string;
}

export type SignInResult =
  | { readonly kind: "signedIn" }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "unreachable"; readonly detail: string };

export interface SignInDoor {
  /** Throws where the server does not answer as ours does. */
  about(): Promise<About>;
  redeem(code: string): Promise<SignInResult>;
  withPassword(email: string, password: string): Promise<SignInResult>;
  /** A link by e-mail; `signedIn` means: sent, or the address is not known. @param returnTo the page to open then */
  sendLink(email: string, returnTo: string): Promise<SignInResult>;
  signOut(): Promise<void>;
}

export const signInDoor: SignInDoor = {
  about: async () => {
    const about = await readAbout();
    return isRenewable(about) ? await alone(renewed) : about;
  },
  redeem: (code) => enter("/api/session", { code }, "wrong sign-in codes"),
  withPassword: (email, password) => enter("/api/sign-in/password", { email, password }, "wrong sign-ins"),
  sendLink: (email, returnTo) => enter("/api/sign-in/link", { email, returnTo }, "sign-ins"),
  signOut: async () => {
    const response = await ask("DELETE");
    if (!response.ok && response.status !== 401) throw new Error(await detailOf(response));
  },
};

/** Whether our server is there, whoever may ask: a proxy's page in its place is no answer. */
export async function isAnswering(): Promise<boolean> {
  try {
    const { version } = (await (await ask("GET")).json()) as { readonly version?: unknown };
    return typeof version === "string";
  } catch {
    return false;
  }
}

/** The code in what was typed: itself, or the part behind `#` of a whole link. Undefined where there is none. */
export function codeIn(typed: string): string | undefined {
  const text = typed.trim();
  const code = text.includes("#") ? text.slice(text.indexOf("#") + 1) : text;
  return code === "" || code.length > codeLengthMax || /\s|\//.test(code) ? undefined : code;
}

async function readAbout(): Promise<About> {
  const response = await ask("GET");
  if (!response.ok) throw new Error(await detailOf(response));
  return (await response.json()) as About;
}

const isRenewable = ({ user, renewable }: About): boolean => user === null && renewable === true;

/** Another tab may have been quicker: what renews works once. */
async function renewed(): Promise<About> {
  const about = await readAbout();
  if (!isRenewable(about)) return about;
  const response = await ask("POST", {}, "/api/session/refresh");
  // Signed out there: the sign-in page is the answer to that, and to nothing else.
  if (!response.ok && response.status !== 401) throw new Error(await detailOf(response));
  return await readAbout();
}

/** One tab of this browser at a time (CL-7). */
async function alone<Result>(run: () => Promise<Result>): Promise<Result> {
  return "locks" in navigator ? await navigator.locks.request("holdfast renewal", run) : await run();
}

async function enter(path: string, body: unknown, what: string): Promise<SignInResult> {
  try {
    const response = await ask("POST", body, path);
    if (response.ok) return { kind: "signedIn" };
    if (response.status === 429) return { kind: "refused", detail: await tooManyText(response, what) };
    const detail = await detailOf(response);
    return response.status < 500 ? { kind: "refused", detail } : { kind: "unreachable", detail };
  } catch (error) {
    return { kind: "unreachable", detail: error instanceof Error ? error.message : String(error) };
  }
}

function ask(method: "GET" | "POST" | "DELETE", body?: unknown, path = "/api/session"): Promise<Response> {
  return fetch(path, {
    method,
    cache: "no-store",
    credentials: "same-origin",
    signal: AbortSignal.timeout(signInTimeoutMs),
    headers: method === "GET" ? {} : { "content-type": "application/json" },
    ...(method === "GET" ? {} : { body: JSON.stringify(body ?? {}) }),
  });
}

/** The server says for a program how long to wait. */
async function tooManyText(response: Response, what: string): Promise<string> {
  const problem = (await response.json().catch(() => undefined)) as { readonly retryAfter?: unknown } | undefined;
  const ms = typeof problem?.retryAfter === "number" ? problem.retryAfter : waitMsUntold;
  return `Too many ${what} came from here. Try again in ${Math.ceil(ms / 1_000)} s.`;
}

/** What an answer that is none says, in words. */
export async function detailOf(response: Response): Promise<string> {
  const problem: unknown = await response.json().catch(() => undefined);
  if (typeof problem === "object" && problem !== null && "detail" in problem && typeof problem.detail === "string")
    return problem.detail;
  return `the server answered HTTP ${response.status}`;
}
