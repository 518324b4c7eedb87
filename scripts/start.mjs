/**
 * `npm start`: from a fresh clone to a running control centre.
 *
 * Installs what is missing, builds the page if it is stale, then runs `holdfast serve` with the given flags.
 * Standard output belongs to the server (`ready <url>`); all else that happens here is on standard error.
 */
import { ensureInstalled, InstallError } from "./install.mjs";
import { launch } from "./launch.mjs";
import { ensurePage, PageError } from "./page.mjs";

try {
  ensureInstalled();
  await ensurePage();
} catch (error) {
  if (!(error instanceof InstallError || error instanceof PageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
await launch(["serve", ...process.argv.slice(2)]);
