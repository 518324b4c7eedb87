/**
 * The way of a connection, step by step, as `holdfast doctor` walks it: each step needs the one before.
 *
 *   name → tcp → tls (https) → http → upgrade → hello → subscribe → round trip → delivery
 *
 * A step that is wrong ends the walk; one that is doubtful (a store that is down, a slow link) does not. Invariant:
 * nothing is changed on the server, and when it ends no socket of it is left open.
 */
import { judgeHealth, judgeUnupgraded } from "./answers.ts";
import { judgeTls } from "./certificate.ts";
import { checkDelivery } from "./delivery.ts";
import { greet, measure, subscribe } from "./dialogue.ts";
import { type Finding, type Step, sound, wrong } from "./finding.ts";
import { told } from "./printable.ts";
import { ask } from "./shell/ask.ts";
import { type Conversation, converse } from "./shell/conversation.ts";
import { nowMs } from "./shell/platform.ts";
import { type Failure, reachPort, resolveName, secure } from "./shell/reach.ts";
import type { Target } from "./target.ts";

/** Hears of each step when it is done. */
export type Tell = (step: Step, finding: Finding) => void;

/** Walks as far as it goes. Whether all was well. */
export async function walk(target: Target, tell: Tell): Promise<boolean> {
  let isWell = true;
  /** Whether the way goes on. */
  const found = (step: Step, finding: Finding): boolean => {
    tell(step, finding);
    isWell &&= finding.kind === "sound";
    return finding.kind !== "wrong";
  };
  if (!found("name", await findName(target))) return false;
  if (!found("tcp", await findPort(target))) return false;
  if (target.secure && !found("tls", judgeTls(await secure(target), target, nowMs()))) return false;
  if (!found("http", await findHealth(target))) return false;
  const conversation = await converse(target);
  if (conversation.kind !== "open") {
    found("upgrade", judgeUnupgraded(conversation, target));
    return false;
  }
  found(
    "upgrade",
    sound(`101, subprotocol holdfast.v1${target.page === undefined ? "" : ` for pages of ${target.page}`}`),
  );
  try {
    await talk(conversation, target, found);
  } finally {
    conversation.close();
  }
  return isWell;
}

async function talk(
  conversation: Conversation,
  target: Target,
  found: (step: Step, finding: Finding) => boolean,
): Promise<void> {
  if (!found("hello", await greet(conversation, target))) return;
  const { finding, subscribed } = await subscribe(conversation, target);
  if (!found("subscribe", finding)) return;
  conversation.send({ type: "unsubscribe", stream: target.stream });
  if (!found("round trip", await measure(conversation, target))) return;
  // Without a stream that can be read there is nothing that could be lost; the step before has said how to name one.
  if (subscribed !== undefined) found("delivery", await checkDelivery(conversation, target, subscribed));
}

async function findName({ host }: Target): Promise<Finding> {
  const found = await resolveName(host);
  if ("kind" in found)
    return wrong(
      `${told(host)} has no address (${found.code})`,
      "check the name's spelling, and that this machine's DNS knows it",
    );
  return sound(found.includes(host) ? `${host} is an address` : `${host} is ${found.join(", ")}`);
}

async function findPort(target: Target): Promise<Finding> {
  const { host, port } = target;
  const reached = await reachPort(target);
  if (reached.kind === "reached") return sound(`port ${port} answers in ${reached.ms.toFixed(1)} ms`);
  return noPort(reached, `${host}:${port}`);
}

function noPort({ code, message }: Failure, place: string): Finding {
  switch (code) {
    case "ECONNREFUSED":
      return wrong(
        `nothing listens at ${place}`,
        "check the port (ready <url> in the server's output has it), and that the server runs; on 127.0.0.1 only its own machine reaches it",
      );
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return wrong(`${place} cannot be reached (${code})`, "look at firewalls, routes and VPNs in between");
    default:
      return wrong(`no connection to ${place} (${code}: ${told(message)})`, "look at firewalls and routes in between");
  }
}

/** HTTP; where it fails in the clear, it is asked whether TLS would have been the way. */
async function findHealth(target: Target): Promise<Finding> {
  const answer = await ask(target, "/healthz");
  const finding = judgeHealth(answer, target);
  if (finding.kind !== "wrong" || target.secure) return finding;
  if (answer.kind === "answer" && answer.status !== 400) return finding;
  const secured = await secure(target);
  if (secured.kind !== "secured") return finding;
  const { host, port } = target;
  return wrong(`${host}:${port} speaks TLS, and was asked without`, `write https:// in the place of http://`);
}
