/**
 * From a frame's text to judged messages: every element by itself, in order, none with an effect before its
 * whole shape is known (TR-1, TR-4, TR-6).
 */
import { type ClientMessage, isUuid, limits, ProtocolError, type ServerMessage } from "@holdfast/protocol";
import { type ClientMessageType, clientMessages } from "@holdfast/protocol/schema";
import { hasTooManyMembers, jsonProblem, paramsMembersMax } from "../methods/soundJson.ts";

export type Judged =
  | { readonly kind: "message"; readonly message: ClientMessage }
  /** A bad element that can be answered by name; the answer is its `response` or `refused`. */
  | { readonly kind: "answer"; readonly answer: ServerMessage }
  /** A bad element without a name; counted towards the close (TR-4). */
  | { readonly kind: "error"; readonly error: ProtocolError };

/** undefined where the frame is not a JSON array. */
export function parseFrame(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function judgeMessage(value: unknown): Judged {
  const type = typeof value === "object" && value !== null ? (value as { type?: unknown }).type : undefined;
  if (typeof type !== "string" || !isClientType(type)) {
    return {
      kind: "error",
      error: badMessage(
        "type",
        typeof type === "string"
          ? `there is no message "${type.slice(0, 40)}"`
          : "a message is an object with a string `type`",
      ),
    };
  }
  if (type === "request" && hasTooManyMembers((value as { params?: unknown }).params)) {
    const error = badMessage("params", `more than ${paramsMembersMax} members`, type);
    return answerByName(type, value as Record<string, unknown>, error) ?? { kind: "error", error };
  }
  const parsed = clientMessages[type].safeParse(value);
  if (parsed.success) return soundly(parsed.data as ClientMessage);
  const issue = parsed.error.issues[0];
  const error = badMessage(issue?.path.join(".") ?? "", issue?.message ?? "wrong shape", type);
  return answerByName(type, value as Record<string, unknown>, error) ?? { kind: "error", error };
}

/** security F9: what has the right shape may still hold what nothing behind us survives. Events are judged alone (PB-2). */
function soundly(message: ClientMessage): Judged {
  switch (message.type) {
    case "request":
      return { kind: "message", message };
    case "publish":
      return { kind: "message", message: { ...message, events: message.events.map(soundEvent) } };
    default: {
      const problem = jsonProblem(message);
      if (problem === undefined) return { kind: "message", message };
      const error = badMessage("", problem, message.type);
      return answerByName(message.type, message, error) ?? { kind: "error", error };
    }
  }
}

/** An unsound event gives its place to the sentence that says why: it consumes its sequence and blocks nothing. */
function soundEvent(event: unknown): unknown {
  const problem = jsonProblem(event);
  return problem === undefined ? event : `the event is not taken: ${problem}`;
}

/** TR-4: a malformed request with a readable id, a malformed publish, subscribe or signal that can be named. */
function answerByName(
  type: ClientMessageType,
  value: Readonly<Record<string, unknown>>,
  error: ProtocolError,
): Judged | undefined {
  const { id, stream, sub, producer, sequence } = value;
  const body = error.toBody();
  if (type === "request" && isUuid(id)) return { kind: "answer", answer: { type: "response", id, error: body } };
  if (typeof stream !== "string" || stream.length > limits.nameLengthMax) return undefined;
  if (type === "subscribe" && isCount(sub))
    return { kind: "answer", answer: { type: "refused", of: "subscribe", stream, sub, error: body } };
  if (type === "publish" && isUuid(producer)) {
    return {
      kind: "answer",
      answer: {
        type: "refused",
        of: "publish",
        stream,
        producer,
        ...(isCount(sequence) ? { sequence } : {}),
        error: body,
      },
    };
  }
  if (type === "signal") return { kind: "answer", answer: { type: "refused", of: "signal", stream, error: body } };
  return undefined;
}

function badMessage(field: string, problem: string, type?: string): ProtocolError {
  const where = field === "" ? "the message" : `"${field}"`;
  return new ProtocolError("bad_message", `${type === undefined ? "" : `${type}: `}${where}: ${problem}`, {
    ...(type === undefined ? {} : { about: { type } }),
    details: { field },
  });
}

function isClientType(type: string): type is ClientMessageType {
  return Object.hasOwn(clientMessages, type);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
