/**
 * Which neighbouring events of a thread are one for a reader that catches up (ST-12): output of one terminal
 * for one command, text and thoughts of one message. Bytes are joined as bytes. Pure.
 */
import type { AgentEventData } from "../contract/index.ts";

/** The joint data, or undefined where the two must stay apart. */
export function joinThreadEvents(event: string, left: unknown, right: unknown): unknown {
  if (event === "terminal.output") {
    return joinOutput(left as AgentEventData["terminal.output"], right as AgentEventData["terminal.output"]);
  }
  if (event === "text.delta")
    return joinText(left as AgentEventData["text.delta"], right as AgentEventData["text.delta"]);
  return undefined;
}

type Output = AgentEventData["terminal.output"];
type Text = AgentEventData["text.delta"];

function joinOutput(left: Output, right: Output): Output | undefined {
  if (left.terminal !== right.terminal || left.command !== right.command) return undefined;
  return { ...left, data: joinBase64(left.data, right.data) };
}

function joinText(left: Text, right: Text): Text | undefined {
  if (left.message !== right.message || left.command !== right.command) return undefined;
  return { ...left, text: left.text + right.text };
}

/** Without padding the texts can be joined as they are: three bytes are four characters. */
function joinBase64(left: string, right: string): string {
  if (!left.endsWith("=")) return left + right;
  return Buffer.concat([Buffer.from(left, "base64"), Buffer.from(right, "base64")]).toString("base64");
}
