/** `npm run handbook`: writes the pages of settings and of log events anew, from the program's own table and sources. */
import { runScript } from "./install.mjs";
import { runVitest } from "./run.mjs";

const msMax = 60_000;

await runScript(() => {
  const parameters = ["--project=unit", "--project=tidy", "settingsPage", "logEvents", "--update"];
  const { failed } = runVitest("docs/configure.md, docs/logs.md", parameters, msMax);
  process.exitCode = failed === 0 ? 0 : 1;
});
