/**
 * `npm start`: from a fresh clone to a running control centre.
 *
 * Installs what is missing, builds the page if it is stale, then runs `holdfast serve` with the given flags.
 * Standard output belongs to the server (`ready <url>`); all else that happens here is on standard error.
 */
import { runScript } from "./install.mjs";
import { launch } from "./launch.mjs";
import { ensurePage } from "./page.mjs";

await runScript(async () => {
  await ensurePage();
  await launch(["serve", ...process.argv.slice(2)]);
});
