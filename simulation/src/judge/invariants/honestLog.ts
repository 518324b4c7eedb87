/**
 * I9: the volume of warnings and errors is bounded by the number of distinct problems, not by clients or attempts; and
 * each error line says what happened: an error with name, message, and a code, a stack or a cause. `{}` never appears.
 *
 * A problem is a line's event and its error's name and code. Lines of the life of connections (level info) are not
 * counted: they are as many as connections.
 */
import type { Fail, Invariant } from "../invariant.ts";
import type { Observed } from "../observation.ts";

/** Lines of one problem, a node and minute (AD-4). */
const linesPerProblemMax = 10;
/** Distinct problems, a node and minute: more are one problem with a name that varies. */
const problemsMax = 50;
const minuteMs = 60_000;

interface MinuteOfNode {
  minute: number;
  readonly lines: Map<string, number>;
}

export function honestLog(fail: Fail): Invariant {
  const nodes = new Map<string, MinuteOfNode>();

  function count({ node: name, event, fields, at }: Observed<"logged">): void {
    const minute = Math.floor(at / minuteMs);
    const node = nodes.get(name) ?? { minute, lines: new Map() };
    nodes.set(name, node);
    if (node.minute !== minute) {
      node.minute = minute;
      node.lines.clear();
    }
    const error = recordOf(fields["error"]);
    const problem = `${event} ${String(error?.["name"] ?? "")} ${String(error?.["code"] ?? "")}`.trim();
    const lines = (node.lines.get(problem) ?? 0) + 1;
    node.lines.set(problem, lines);
    if (lines === linesPerProblemMax + 1) fail("I9", `${name} wrote ${lines} lines of "${problem}" within a minute`);
    if (node.lines.size === problemsMax + 1) {
      fail("I9", `${name} wrote of ${node.lines.size} distinct problems within a minute, the last "${problem}"`);
    }
  }

  return {
    on: {
      logged(line) {
        if (line.level !== "warn" && line.level !== "error") return;
        count(line);
        for (const [field, value] of Object.entries(line.fields)) {
          if (isEmpty(value)) fail("I9", `${line.node} wrote "${line.event}" with ${field}: {}`);
        }
        if (line.level === "error") judgeError(line, fail);
      },
    },
  };
}

function judgeError({ node, event, fields }: Observed<"logged">, fail: Fail): void {
  const error = recordOf(fields["error"]);
  if (error === undefined) {
    fail("I9", `${node} wrote the error line "${event}" without an error`);
    return;
  }
  const missing = ["name", "message"].filter((field) => typeof error[field] !== "string" || error[field] === "");
  if (["code", "stack", "cause", "errors"].every((field) => error[field] === undefined)) missing.push("code or stack");
  if (missing.length > 0) fail("I9", `${node} wrote "${event}" with an error that has no ${missing.join(", no ")}`);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function isEmpty(value: unknown): boolean {
  const record = recordOf(value);
  return (
    record !== undefined &&
    !Array.isArray(record) &&
    // An error's own fields are not enumerable; as an error it is written with them.
    !(record instanceof Error) &&
    Object.keys(record).length === 0
  );
}
