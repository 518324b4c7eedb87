/**
 * What programs printed, line by line, as producers of events: the proof that an agent's output is in the log once, in
 * order and whole, whatever befell the agent's link.
 *
 * A command that is told to print n lines produces the events 1 … n of a producer of its token. Which of them are durable
 * is read from the bytes of the log. One that completed printed all of them; one that was killed may end anywhere, but
 * never with a hole before a later line. The lines of a command are a stream of their own in the workspace `printed`.
 */
import type { Observation } from "../judge/observation.ts";
import { tokenOf } from "./person.ts";
import type { LoggedEvent } from "./storeLog.ts";

const workspace = "printed";
const epoch = "printed";

interface Printing {
  readonly token: string;
  /** How many lines it was told to print. */
  readonly lines: number;
  readonly bytes: string[];
  hasCompleted: boolean;
}

/** What the log says of every command that was told to print. */
export function printedLines(events: readonly LoggedEvent[]): readonly Observation[] {
  const commands = new Map<string, Printing>();
  for (const { event, data, content } of events) {
    const command = String(data["command"]);
    if (event === "command.queued") {
      const text = String(data["text"]);
      const token = tokenOf(text);
      const lines = Number(/'(\d+)' '[\d.]+' '[^']*'$/.exec(text)?.[1]);
      if (token !== undefined && lines > 0) commands.set(command, { token, lines, bytes: [], hasCompleted: false });
    }
    const printing = commands.get(command);
    if (printing === undefined) continue;
    if (event === "terminal.output") printing.bytes.push(content);
    if (event === "command.finished") printing.hasCompleted = data["outcome"] === "completed";
  }
  return [...commands.values()].flatMap(linesOf);
}

function linesOf({ token, lines, bytes, hasCompleted }: Printing): readonly Observation[] {
  const stream = token;
  const producer = token;
  // What follows the last line end is a line that was cut off.
  const printed = bytes.join("").split("\r\n").slice(0, -1);
  const committed = printed.map((line, index): Observation => {
    const sequence = Number(/ line (\d+)$/.exec(line)?.[1] ?? 0);
    const origin = { producer, sequence };
    return { kind: "committed", at: 0, workspace, stream, epoch, offset: index + 1, content: line, origin };
  });
  const sequences = Array.from({ length: lines }, (_, index) => index + 1);
  const produced = sequences.map((sequence): Observation => {
    const content = `${token} line ${sequence}`;
    return { kind: "produced", at: 0, producer, workspace, stream, sequence, content };
  });
  // Only the end of the command tells that they are durable, so none was produced after another was acknowledged.
  const settled = (hasCompleted ? sequences : []).map(
    (sequence): Observation => ({ kind: "publishSettled", at: 0, producer, sequence, outcome: "durable" }),
  );
  return [...committed, ...produced, ...settled, { kind: "producerEnded", at: 0, producer }];
}
