/**
 * The steps that talk over an open connection: hello, a stream, pings.
 *
 * Each ends with a finding; where the connection ends in the middle, that is the finding, in words.
 */
import type { ServerMessage, Subscribed, Welcome } from "@holdfast/protocol";
import { limits } from "@holdfast/protocol";
import { version } from "../version.ts";
import { judgeClosing } from "./closings.ts";
import { type Finding, sound, wrong } from "./finding.ts";
import { told } from "./printable.ts";
import { judgeRoundTrips, pings } from "./roundTrip.ts";
import { type Conversation, messageMsMax, type Over, type Silence } from "./shell/conversation.ts";
import { monotonicMs, newId } from "./shell/platform.ts";
import type { Target } from "./target.ts";

/** hello → welcome. */
export async function greet(conversation: Conversation, target: Target): Promise<Finding> {
  const { key } = target;
  conversation.send({
    type: "hello",
    protocol: limits.protocolVersion,
    instance: newId(),
    attempt: 1,
    client: { name: "holdfast doctor", version },
    visible: true,
    ...(key === undefined ? {} : { token: key }),
  });
  const answer = await conversation.next((message) => only(message, "welcome"));
  if (answer.kind !== "came") return ended(answer, target, "a welcome");
  const { user, connection } = answer.message satisfies Welcome;
  return sound(`welcome as ${told(user.name)}, role ${user.role}; the log calls this connection ${told(connection)}`);
}

/** What a stream's answer is, for the delivery check: where to begin, or nothing to read. */
export interface Reading {
  readonly finding: Finding;
  readonly subscribed: Subscribed | undefined;
}

/** Subscribes from the stream's beginning. A refusal is an answer too. */
export async function subscribe(conversation: Conversation, target: Target): Promise<Reading> {
  const { stream } = target;
  conversation.send({ type: "subscribe", stream, sub: 1, from: "start" });
  const answer = await conversation.next((message) => {
    if (message.type === "pending" && message.stream === stream) return { kind: "pending", message } as const;
    if (message.type === "refused" && message.stream === stream) return { kind: "refused", message } as const;
    return message.type === "subscribed" && message.stream === stream ? only(message, "subscribed") : undefined;
  });
  switch (answer.kind) {
    case "came": {
      const { offset, head } = answer.message;
      const finding = sound(`${told(stream)} answers: #${offset} to #${head}`);
      return { finding, subscribed: answer.message };
    }
    case "refused": {
      const { code, message } = answer.message.error;
      const finding =
        code === "not_found"
          ? sound(`answered: this server has no ${told(stream)} for us; name a stream as --stream <name>`)
          : wrong(`${told(stream)} is refused: ${told(code)}`, `it says ${told(message)}`);
      return { finding, subscribed: undefined };
    }
    case "pending":
      return {
        finding: wrong(
          `${told(stream)} waits: ${told(answer.message.reason)}`,
          "the store cannot be read: see the server's log, under store.unavailable or stream.read_failed",
        ),
        subscribed: undefined,
      };
    case "over":
    case "silence":
      return { finding: ended(answer, target, "an answer to subscribe"), subscribed: undefined };
  }
}

/** Pings one after the other. */
export async function measure(conversation: Conversation, target: Target): Promise<Finding> {
  const times: number[] = [];
  for (let n = 1; n <= pings; n += 1) {
    const begun = monotonicMs();
    conversation.send({ type: "ping", n, visible: true });
    const answer = await conversation.next((message) =>
      message.type === "pong" && message.n === n ? only(message, "pong") : undefined,
    );
    if (answer.kind !== "came") return ended(answer, target, "a pong");
    times.push(monotonicMs() - begun);
  }
  return judgeRoundTrips(times);
}

type Of<Type extends ServerMessage["type"]> = Extract<ServerMessage, { type: Type }>;

function only<Type extends ServerMessage["type"]>(
  message: ServerMessage,
  type: Type,
): { readonly kind: "came"; readonly message: Of<Type> } | undefined {
  return message.type === type ? { kind: "came", message: message as Of<Type> } : undefined;
}

function ended(answer: Over | Silence, { key }: Target, awaited: string): Finding {
  if (answer.kind === "over") return judgeClosing(answer, key !== undefined);
  return wrong(
    `the connection opened, and ${awaited} did not come within ${messageMsMax} ms`,
    "something in between holds WebSocket frames back, or the server hangs: look at proxies, and at loop delay on its page Connections",
  );
}
