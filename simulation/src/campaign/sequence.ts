/**
 * A run drawn as a sequence in text: who said what to whom, down the page, the last lines before it went wrong.
 *
 * Lines that only fill the page are left out (pings, log lines without a problem), what repeats is folded, and a
 * frame is told by its messages, not by its bytes. It is for a person who has the plan beside it.
 */
import type { TraceLine } from "../core/trace.ts";

export const sequenceLinesMax = 40;
const textMax = 110;

export function drawSequence(lines: readonly TraceLine[]): string {
  const told = lines.filter(({ what, to }) => !isFiller(what, to)).map((line) => ({ ...line, what: short(line.what) }));
  const folded: (TraceLine & { times: number })[] = [];
  for (const line of told) {
    const last = folded.at(-1);
    if (last !== undefined && last.from === line.from && last.to === line.to && last.what === line.what)
      last.times += 1;
    else folded.push({ ...line, times: 1 });
  }
  const shown = folded.slice(-sequenceLinesMax);
  const width = Math.max(0, ...shown.map(({ from, to }) => from.length + to.length));
  return shown
    .map(({ at, from, to, what, times }) => {
      const way = `${from} → ${to}`.padEnd(width + 3);
      return `${(at / 1_000).toFixed(3).padStart(9)}  ${way}  ${what}${times > 1 ? ` (${times} times)` : ""}`;
    })
    .join("\n");
}

function isFiller(what: string, to: string): boolean {
  return /^\[\{"type":"p[io]ng"/.test(what) || (to === "log" && /^(debug|info)/.test(what)) || what === "commit ok ";
}

/** `[{"type":"events","stream":"a","offset":3,…}]` → `events a 3`. */
function short(what: string): string {
  if (!what.startsWith("[{")) return cut(what);
  try {
    const messages = JSON.parse(what) as readonly Readonly<Record<string, unknown>>[];
    return cut(messages.map(tell).join("; "));
  } catch {
    return cut(what);
  }
}

function tell(message: Readonly<Record<string, unknown>>): string {
  const { type, stream, sub, offset, head, sequence, method, code, reason, from, reset, params, error } = message;
  const events = Array.isArray(message["events"]) ? `+${message["events"].length}` : undefined;
  const cursor = typeof from === "object" && from !== null ? `from ${(from as { offset: number }).offset}` : from;
  const of = (params as { request?: string } | undefined)?.request;
  const failed = (error as { code?: string } | undefined)?.code;
  const fields = { sub, offset, head, sequence, code, reset };
  const named = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${String(value)}`],
  );
  return [type, method, stream, of, cursor, events, ...named, reason, failed]
    .filter((part) => part !== undefined)
    .map(String)
    .join(" ");
}

function cut(text: string): string {
  return text.length > textMax ? `${text.slice(0, textMax - 1)}…` : text;
}
