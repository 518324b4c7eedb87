/**
 * Which neighbouring events of a thread are one for a reader that catches up (ST-12): output of one terminal
 * for one command, text of one message. Bytes are joined as bytes. Pure.
 */
import type { RollUp } from "@holdfast/server/plugin";
import type { AgentEventData } from "../contract/index.ts";

type Output = AgentEventData["terminal.output"];
type Text = AgentEventData["text.delta"];

export const threadRollUp: RollUp = {
  key(event, data) {
    if (event === "terminal.output") return `${(data as Output).terminal} ${(data as Output).command ?? ""}`;
    if (event === "text.delta") return `${(data as Text).message} ${(data as Text).command}`;
    return undefined;
  },
  join: (event, data) => (event === "terminal.output" ? joinOutput(data as Output[]) : joinText(data as Text[])),
};

function joinOutput(parts: readonly Output[]): Output {
  const bytes = Buffer.concat(parts.map(({ data }) => Buffer.from(data, "base64")));
  return { ...(parts[0] as Output), data: bytes.toString("base64") };
}

function joinText(parts: readonly Text[]): Text {
  return { ...(parts[0] as Text), text: parts.map(({ text }) => text).join("") };
}
