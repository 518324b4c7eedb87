/**
 * Somebody who commands the shell past a proxy, and readers of what it says who come through the proxy.
 *
 * The reader is the product's own client, since how it comes back is what is to be seen; it keeps each offset that was
 * applied, so that a test can tell that none is missing and none there twice. It deliberately decides nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSession, type Session } from "@holdfast/client";
import { openPlainClient } from "./plainClient.ts";
import { waitFor } from "./waiting.ts";

const shellMsMax = 30_000;

export interface ShellReader {
  readonly session: Session;
  /** Of each event applied, in that order. */
  readonly offsets: readonly number[];
  /** When events were applied, ms. */
  readonly times: readonly number[];
  /** Kinds of the session's states, one after the other. */
  readonly states: readonly string[];
  /** What the terminal said so far. */
  output(): string;
}

/** Where programs of this machine reach the server of a data folder. */
export function localUrlOf({ data }: { readonly data: string }): string {
  return (JSON.parse(readFileSync(join(data, "server.json"), "utf8")) as { url: string }).url;
}

/** In development mode. Without `stream` it reads nothing. */
export function openReader(url: string, stream?: string): ShellReader {
  const session = createSession({ url: `${url.replace(/^http/, "ws")}/ws`, clientName: "reader" });
  const [offsets, times, states]: [number[], number[], string[]] = [[], [], []];
  let output = "";
  session.onChange(() => {
    if (states.at(-1) !== session.state.kind) states.push(session.state.kind);
  });
  if (stream !== undefined)
    session.subscribe(stream, {
      from: "start",
      onEvents: (events) => {
        for (const { offset, through, event, data } of events) {
          for (let at = offset; at <= through; at += 1) offsets.push(at);
          times.push(performance.now());
          if (event === "terminal.output") output += Buffer.from((data as { data: string }).data, "base64").toString();
        }
      },
    });
  return { session, offsets, times, states, output: () => output };
}

/** Sends a command to a shell of the fleet, by a plain client; the name of its thread's stream. */
export async function commandShell(url: string, text: string): Promise<string> {
  const person = await openPlainClient(url, { subscribe: [{ stream: "fleet", sub: 1, from: "latest" }] });
  const shell = await waitFor(
    () => {
      const told = person.messages.flatMap((message): readonly { id: string; kind: string }[] => {
        if (message.type === "snapshot") return (message["data"] as { agents: { id: string; kind: string }[] }).agents;
        if (message.type !== "events") return [];
        const events = message["events"] as { data: { agent?: { id: string; kind: string } } }[];
        return events.flatMap(({ data }) => data.agent ?? []);
      });
      return told.find(({ kind }) => kind === "shell");
    },
    { msMax: shellMsMax, what: "a shell in the fleet" },
  );
  const { thread } = await person.call("command.send", { agent: shell.id, text });
  await person.close();
  return `thread/${thread}`;
}

/** A command that says `n1`, `n2` … up to `last`, one each `everyMs`. */
export function countTo(last: number, everyMs: number): string {
  return `for i in $(seq ${last}); do echo "n$i"; sleep ${everyMs / 1000}; done`;
}

/** The numbers that the terminal said, in their order. */
export function numbersOf(reader: ShellReader): readonly number[] {
  return [...reader.output().matchAll(/^n(\d+)\r?$/gm)].map(([, number]) => Number(number));
}
