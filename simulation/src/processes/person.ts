/**
 * Somebody who sends commands and waits for their ends, through every death of their own process.
 *
 * Each request is *durable* (RQ-3): written down, sent until it is answered, and found again by the next life. A token
 * in the command's text names the request in the log, in the file of effects and here. What this person knows of
 * their own requests is read back from their records at the start. Invariant: a request is noted as issued before it is
 * handed to the session, so that no effect is without its request.
 */
import type { AppliedEvent } from "@holdfast/client";
import type { DurableSession } from "@holdfast/client/durable";
import { ProtocolError } from "@holdfast/protocol";
import type { Observation } from "../judge/observation.ts";
import type { RecorderSettings } from "./recorderSettings.ts";

export interface Person {
  readonly unsettled: number;
  readonly unfinished: number;
  /** Takes up what an earlier life left in the storage, and goes on sending. */
  begin(session: DurableSession): void;
  applied(events: readonly AppliedEvent[]): void;
  /** Sends nothing more. */
  quiet(): void;
  /** The session is about to be closed: what it rejects now is not decided. */
  leave(): void;
}

export interface PersonParts {
  readonly settings: RecorderSettings;
  readonly random: () => number;
  readonly now: () => number;
  readonly observe: (...observations: readonly Observation[]) => void;
  /** What earlier lives wrote down. */
  readonly past: Iterable<Observation>;
}

const tokenPattern = /\b(\w+-\d+-\d+)\b/;

/** The token of a request, in a command's text. */
export function tokenOf(text: string): string | undefined {
  return tokenPattern.exec(text)?.[1];
}

export function makePerson({ settings, random, now, observe, past }: PersonParts): Person {
  const { name, life, sends } = settings;
  const unsettled = new Map<string, string | undefined>();
  /** Commands of ours, as the log or an answer named them; the end of each command that ended; and whose end was told. */
  const ours = new Set<string>();
  const ends = new Map<string, string>();
  const told = new Set<string>();
  let sent = 0;
  let isQuiet = sends === undefined;
  let hasLeft = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  for (const one of past) remember(one);

  function remember(one: Observation): void {
    if (one.kind === "requestIssued") unsettled.set(one.request, undefined);
    if (one.kind === "requestSettled") unsettled.delete(one.request);
    if (one.kind === "commandAccepted") ours.add(one.command);
    if (one.kind === "personTold") told.add(one.command);
    // `\n<event> <data>\n`, as `contentOf` writes it.
    const [, event = "", data = "{}"] =
      one.kind === "delivered" ? (/^\n(command\.\w+) (.*)\n$/s.exec(one.content) ?? []) : [];
    look(event, JSON.parse(data) as Readonly<Record<string, string>>);
  }

  /** Takes from an event what it says of a command of ours, or of one that may turn out to be. */
  function look(event: string, { command = "", text = "", outcome = "" }: Readonly<Record<string, string>>): void {
    if (event === "command.queued" && tokenOf(text)?.startsWith(`${name}-`) === true) ours.add(command);
    if (event === "command.finished") ends.set(command, outcome);
  }

  /** A person sees an end once it is known and known to be theirs, whichever comes later. */
  function tell(): void {
    for (const command of ours) {
      const outcome = ends.get(command);
      if (outcome === undefined || told.has(command)) continue;
      told.add(command);
      observe({ kind: "personTold", at: now(), command, client: name, outcome });
    }
  }

  function settle(request: string, outcome: "result" | "error" | "unknown", command?: string): void {
    if (hasLeft || !unsettled.delete(request)) return;
    observe({ kind: "requestSettled", at: now(), request, outcome });
    if (command === undefined) return;
    ours.add(command);
    observe({ kind: "commandAccepted", at: now(), command, client: name });
    tell();
  }

  function follow(request: string, outcome: Promise<unknown>): void {
    outcome.then(
      (result) => settle(request, "result", (result as { readonly command: string }).command),
      (error: unknown) => {
        const isUnknown = error instanceof ProtocolError && error.code === "timeout";
        settle(request, isUnknown ? "unknown" : "error");
      },
    );
  }

  function send(session: DurableSession): void {
    if (sends === undefined) return;
    sent += 1;
    const token = `${name}-${life}-${sent}`;
    const thread = sends.threads[Math.floor(random() * sends.threads.length)] ?? "";
    const after = [...unsettled].findLast(([, lane]) => lane === thread)?.[0];
    unsettled.set(token, thread);
    observe({
      kind: "requestIssued",
      at: now(),
      request: token,
      client: name,
      ...(after === undefined ? {} : { after }),
    });
    follow(
      token,
      session.call("command.send", { thread, text: printing(token, sends) }, { durable: true, lane: thread }),
    );
  }

  function arm(session: DurableSession): void {
    if (sends === undefined) return;
    timer = setTimeout(
      () => {
        if (hasLeft || isQuiet) return;
        if (ownUnfinished() < sends.unfinishedMax) send(session);
        arm(session);
      },
      sends.everyMs * (0.5 + random()),
    );
  }

  function ownUnfinished(): number {
    return unsettled.size + unended();
  }

  function unended(): number {
    return [...ours].filter((command) => !told.has(command)).length;
  }

  return {
    get unsettled() {
      return unsettled.size;
    },
    get unfinished() {
      return unended();
    },
    begin(session) {
      hasLeft = false;
      const kept = new Set<string>();
      for (const { ticket, params, lane } of session.saved) {
        const token = tokenOf((params as { readonly text: string }).text) ?? "";
        kept.add(token);
        if (!unsettled.has(token)) continue;
        unsettled.set(token, lane);
        follow(token, session.outcome(ticket));
      }
      // Noted, and ended before it was written down; or answered, and ended before that was noted.
      for (const token of [...unsettled.keys()]) if (!kept.has(token)) settle(token, "unknown");
      tell();
      arm(session);
    },
    applied(events) {
      for (const { event, data } of events) {
        if (event.startsWith("command.")) look(event, data as Readonly<Record<string, string>>);
      }
      tell();
    },
    quiet() {
      isQuiet = true;
      clearTimeout(timer);
    },
    leave() {
      hasLeft = true;
      clearTimeout(timer);
    },
  };
}

/** A command that prints, and notes that it began. */
export function printing(
  token: string,
  { lines, lineEveryMs, effects }: Pick<NonNullable<RecorderSettings["sends"]>, "lines" | "lineEveryMs" | "effects">,
): string {
  const program = new URL("printerMain.ts", import.meta.url).pathname;
  const words = [process.execPath, program, token, String(lines), String(lineEveryMs), effects];
  return `exec ${words.map((word) => `'${word}'`).join(" ")}`;
}
