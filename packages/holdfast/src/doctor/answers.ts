/**
 * Whose answer is it, and what does it mean: the server's own are told from those of a proxy by their shape. Pure.
 *
 * What is ours is JSON of a known shape (`/healthz`, or a problem of RFC 9457 with our `code` and `ref`); all else was
 * said by something in between, or by another program.
 */
import { doubtful, type Finding, sound, wrong } from "./finding.ts";
import { printable, told } from "./printable.ts";
import type { Answer } from "./shell/ask.ts";
import type { Failure } from "./shell/reach.ts";
import type { Target } from "./target.ts";

const proxyPage = "docs/proxy-and-tls.md has the lines for nginx";

/** A refusal of ours. */
interface Problem {
  readonly code: string;
  readonly detail: string;
}

/** What `/healthz` says of the server. */
export function judgeHealth(answer: Answer | Failure, target: Target): Finding {
  const place = `${target.host}:${target.port}`;
  if (answer.kind === "failed")
    return wrong(
      `something listens at ${place} and gives no HTTP answer (${answer.code}: ${told(answer.message)})`,
      "check the port; ready <url> in the server's output has it",
    );
  const problem = problemIn(answer);
  if (problem !== undefined) return refused(problem, answer.status);
  const health = jsonIn(answer);
  if (answer.status !== 200 || health?.["status"] !== "ok" || typeof health["version"] !== "string")
    return sentOn(answer, "/healthz", target) ?? foreignAnswer(answer, "/healthz", place);
  const { version, mode, store, degraded } = health;
  const is = `Holdfast's server ${told(version)}, mode ${told(String(mode))}, store ${told(String(store))}`;
  if (degraded === undefined) return sound(is);
  const since = fieldOf(degraded, "since");
  return doubtful(
    `${is}: its store is down${typeof since === "number" && Math.abs(since) < 8.64e15 ? ` since ${new Date(since).toISOString()}` : ""}`,
    "bring the database or the disk back; the server's log says under store.unavailable what fails, and nothing need be restarted",
  );
}

/** What came in the place of an upgrade. */
export function judgeUnupgraded(answer: Answer | Failure, target: Target): Finding {
  if (answer.kind === "failed") return judgeBroken(answer);
  const problem = problemIn(answer);
  if (problem === undefined) return sentOn(answer, "/ws", target) ?? judgeProxy(answer);
  // Our own answer to a request that is no upgrade: somebody in between has made one of it.
  if (answer.status === 426)
    return wrong(
      "the server got a request without Upgrade: a proxy in between does not pass the upgrade on",
      `let it pass Upgrade and Connection on, by HTTP/1.1; ${proxyPage}`,
    );
  if (problem.code === "forbidden" && target.page !== undefined)
    return wrong(
      `the server does not take connections from pages of ${target.page} (${told(problem.detail)})`,
      `add ${target.page} to its setting origins, if it is yours`,
    );
  return refused(problem, answer.status);
}

function judgeProxy({ status, server, contentType }: Answer): Finding {
  const who = `something in between answered ${status} to the upgrade (${nameOf({ server, contentType })})`;
  if (status >= 500)
    return wrong(who, "it does not reach the server: look at its own log, and at its address of the server");
  if (status === 401 || status === 403 || status === 407)
    return wrong(who, "it asks for a sign-in of its own: let it pass /ws");
  return wrong(
    who,
    `a proxy does not pass the upgrade on: let it pass Upgrade and Connection on, by HTTP/1.1; ${proxyPage}`,
  );
}

function judgeBroken({ code, message }: Failure): Finding {
  if (/subprotocol/i.test(message))
    return wrong(
      "the upgrade came back without the subprotocol holdfast.v1: a proxy in between has taken it away",
      "let it pass Sec-WebSocket-Protocol on, both ways",
    );
  return wrong(
    `the upgrade did not come about (${code}: ${told(message)})`,
    `HTTP gets through and the upgrade does not, so look at what is in between; ${proxyPage}`,
  );
}

/** The server's own refusal, with its own words, which say what to do. */
function refused({ code, detail }: Problem, status: number): Finding {
  return wrong(`the server itself refuses, ${status} ${told(code)}`, `it says ${told(detail)}`);
}

/** A redirect; what is asked for is never followed, since the key would go there. Undefined where it is none. */
function sentOn({ status, location }: Answer, path: string, target: Target): Finding | undefined {
  if (status < 300 || status > 399 || location === "" || !URL.canParse(location, target.origin)) return undefined;
  const { origin, pathname } = new URL(location, target.origin);
  const who = `${target.host}:${target.port} sends ${path} on to ${told(origin + pathname)} (${status})`;
  if (pathname === path && origin !== target.origin)
    return wrong(who, `give that address, if it is yours: holdfast doctor ${printable(origin, 200)}`);
  return wrong(who, "a proxy asks for a sign-in of its own, or changes the path: let it pass every path on as it is");
}

function foreignAnswer(answer: Answer, path: string, place: string): Finding {
  const who = `${place} answers ${answer.status} to ${path}, and it is no Holdfast server that says so (${nameOf(answer)})`;
  if (answer.status >= 502 && answer.status <= 504)
    return wrong(
      who,
      "a proxy does not reach the server: see whether the server runs, and where the proxy looks for it",
    );
  return wrong(who, "check the port; a proxy must pass every path on to the server");
}

function nameOf({ server, contentType }: Pick<Answer, "server" | "contentType">): string {
  return [server === "" ? "no name" : told(server), contentType === "" ? "no type" : told(contentType)].join(", ");
}

/** A problem of ours: anybody may send problem+json, with `code` and `ref` only we do. */
function problemIn(answer: Answer): Problem | undefined {
  if (!/^application\/problem\+json/i.test(answer.contentType)) return undefined;
  const { code, detail, ref, status } = jsonIn(answer) ?? {};
  if (typeof code !== "string" || typeof detail !== "string" || typeof ref !== "string") return undefined;
  return status === answer.status ? { code, detail } : undefined;
}

function jsonIn({ text }: Answer): Readonly<Record<string, unknown>> | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
