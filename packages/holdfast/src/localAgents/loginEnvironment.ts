/**
 * The environment that a local agent is born with: the person's own, without what npm put into it.
 *
 * `npm start` adds some 80 variables and its own folders to the path; the commands that people run through
 * the agent must not see them (an `npm install` there would obey this project's settings). A `HOLDFAST_KEY`
 * is for an agent that a person starts, and would hide the local agent's own key. What an agent hides
 * from its commands besides (`HOLDFAST_…`, tokens) is the agent's own rule.
 */
import { delimiter, sep } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** `environment` without npm's additions and without a key. */
export function loginEnvironment(environment: Environment): Environment {
  const isNpm = environment["npm_lifecycle_event"] !== undefined;
  const kept = Object.entries(environment).filter(
    ([name]) => name !== "HOLDFAST_KEY" && !(isNpm && (/^npm_/i.test(name) || name === "INIT_CWD")),
  );
  const login = Object.fromEntries(kept);
  const path = login["PATH"];
  return isNpm && path !== undefined ? { ...login, PATH: withoutModules(path) } : login;
}

function withoutModules(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => {
      const names = folder.split(sep);
      return !names.includes("node_modules") && names.at(-1) !== "node-gyp-bin";
    })
    .join(delimiter);
}
