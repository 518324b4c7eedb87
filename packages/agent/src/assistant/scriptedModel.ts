/**
 * The model that there is where none is configured: a script, which says so in every answer.
 *
 * It exists so that a fresh installation can be talked to. Its time is the clock's, so with a simulated one an answer is
 * the same to the byte. It deliberately understands nothing of what it is told.
 */
import type { Clock } from "@holdfast/protocol";
import type { ChatModel, ChatTurn, ModelPart } from "./chatModel.ts";

/** Between two words. */
export const wordMs = 40;
const quotedCharsMax = 200;

export function scriptedModel(clock: Clock): ChatModel {
  return {
    async *answer(turns, signal) {
      for (const word of wordsOf(script(turns))) {
        await pause(clock, wordMs, signal);
        if (signal.aborted) return;
        yield { kind: "text", text: word } satisfies ModelPart;
      }
      yield { kind: "end", usage: undefined } satisfies ModelPart;
    },
  };
}

function script(turns: readonly ChatTurn[]): string {
  const said = turns.at(-1)?.text ?? "";
  const before = turns.filter(({ role }) => role === "user").length - 1;
  const memory = before === 0 ? "This is your first message here." : `You wrote ${before} here before it.`;
  return [
    "**I am a script, not a model**: no model is configured on this server, so nothing here is thought up.",
    `You wrote ${said.split(/\s+/).filter(Boolean).length} words, beginning with:`,
    `> ${shown(said)}`,
    memory,
    "An administrator can give me a model on the page *Assistants*: any endpoint that speaks like OpenAI's, for example",
    "```\nhttp://127.0.0.1:11434/v1\n```",
  ].join("\n\n");
}

/** One line of what was said, as a quotation that ends where it ends. */
function shown(text: string): string {
  const line = text
    .replaceAll(/\p{Cc}+/gu, " ")
    .replaceAll(/([\\`*_[\]<>#|~!])/g, "\\$1")
    .trim();
  return line.length > quotedCharsMax ? `${line.slice(0, quotedCharsMax).toWellFormed()}…` : line;
}

/** Words, each with the space after it. */
function wordsOf(text: string): string[] {
  return text.match(/\S+\s*/g) ?? [];
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clock.cancel(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}
