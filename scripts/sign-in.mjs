/** `npm run sign-in`: one more sign-in link of the server that runs on this clone's data folder. */
import { runScript } from "./install.mjs";
import { launch } from "./launch.mjs";

await runScript(() => launch(["sign-in", ...process.argv.slice(2)]));
