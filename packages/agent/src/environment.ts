/**
 * What a child process may know: the agent's environment minus what is ours and what looks like a secret.
 *
 * The rule is by name and deliberately coarse (CONTROL.md "Agents"): a command that needs a token gets it by
 * `--keep-env`, a choice of the person who starts the agent.
 */
const secretName = /^HOLDFAST_|DATABASE_URL$|TOKEN|SECRET|KEY|PASSWORD/i;

/** The environment for children of this agent. `TERM` is what the agent's own terminal emulates. */
export function childEnvironment(
  source: Readonly<Record<string, string | undefined>>,
  keepEnv: boolean,
): Record<string, string> {
  const kept = Object.entries(source).filter((entry): entry is [string, string] => {
    const [name, value] = entry;
    return value !== undefined && (keepEnv || !secretName.test(name));
  });
  return { ...Object.fromEntries(kept), TERM: "xterm-256color" };
}

/** The person's shell. */
export function shellOf(source: Readonly<Record<string, string | undefined>>): string {
  return source["SHELL"] || "/bin/sh";
}
