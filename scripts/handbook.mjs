/** `npm run handbook`: writes the page of settings anew from the program's own table. */
import { runScript } from "./install.mjs";
import { runVitest } from "./run.mjs";

const msMax = 60_000;

await runScript(() => {
  const { failed } = runVitest("docs/configure.md", ["--project=unit", "settingsPage", "--update"], msMax);
  process.exitCode = failed === 0 ? 0 : 1;
});
