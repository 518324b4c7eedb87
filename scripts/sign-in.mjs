/** `npm run sign-in`: one more sign-in link of the server that runs on this clone's data folder. */
import { ensureInstalled, InstallError } from "./install.mjs";
import { launch } from "./launch.mjs";

try {
  ensureInstalled();
} catch (error) {
  if (!(error instanceof InstallError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
await launch(["sign-in", ...process.argv.slice(2)]);
