/**
 * `holdfast sign-in`: asks the server that runs on a data folder for one more sign-in link.
 *
 * Who may read the folder may sign in: the operator's key lies there, readable by its owner only.
 */
import { resolve } from "node:path";
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import { quoted, readFlags } from "../commandLine/flags.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { environmentName, fields } from "../config/fields.ts";
import { readTextFile } from "../files/privateFile.ts";
import { operatorKeyFile, readServerRecord, serverFile } from "../files/serverFile.ts";

/** The server's answer; on loopback anything slower is a server that hangs. */
export const answerMsMax = 5_000;

export const signInFlags = { data: "value" } as const;

/** Prints `sign-in <url>/#<code>`. */
export async function signIn(
  argv: readonly string[],
  { environment, directory, output, errors }: Surroundings,
): Promise<ExitCode> {
  const refuse = (sentence: string): ExitCode => {
    errors.write(`${sentence}\n`);
    return exitCodes.wrongUse;
  };
  const flags = readFlags(argv, signInFlags);
  if (flags.kind === "problem") return refuse(flags.sentence);
  const word = flags.words[0] ?? flags.command?.[0];
  if (word !== undefined)
    return refuse(`${quoted(word)} is not expected here; name the data folder as --data <folder>.`);

  const data = resolve(directory, flags.values.get("data") ?? (environment[environmentName("data")] || defaultData()));
  const record = readServerRecord(serverFile(data));
  const key = readTextFile(operatorKeyFile(data))?.trim();
  if (record === undefined || key === undefined) {
    return refuse(
      `No server runs on the data folder ${quoted(data)}; start one with npm start, or name its folder as --data <folder>.`,
    );
  }
  const asked = await ask(record.url, key);
  if ("problem" in asked) return refuse(asked.problem);
  output.write(`sign-in ${record.publicUrl}/#${asked.code}\n`);
  return exitCodes.done;
}

async function ask(url: string, key: string): Promise<{ readonly code: string } | { readonly problem: string }> {
  try {
    const response = await fetch(`${url}/api/sign-in-codes`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: "{}",
      signal: AbortSignal.timeout(answerMsMax),
    });
    const answer: unknown = await response.json();
    if (
      response.ok &&
      typeof answer === "object" &&
      answer !== null &&
      "code" in answer &&
      typeof answer.code === "string"
    ) {
      return { code: answer.code };
    }
    return {
      problem: `The server at ${url} answered ${response.status} instead of a sign-in code; restart it with npm start.`,
    };
  } catch {
    return { problem: `The server at ${url} does not answer; start it with npm start.` };
  }
}

function defaultData(): string {
  return String(fields.find((field) => field.path === "data")?.default);
}
