/**
 * `npm start -w @holdfast/example-board`: installs what is missing, builds the example's page, runs its server.
 *
 * An app of your own needs none of this: `vite build`, then `node server.ts` on Node 24. Here it makes a fresh
 * clone start by one command, on the Node that the lockfile pins. Standard output is the server's alone.
 */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { pinnedNode, root, runScript, ScriptError } from "./install.mjs";

const example = process.cwd();

await runScript(() => {
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const built = spawnSync(pinnedNode(), [vite, "build", "--logLevel=warn"], { cwd: example, stdio: ["ignore", 2, 2] });
  if (built.status !== 0)
    throw new ScriptError(`Building the page failed in ${example}: what Vite says above names the cause.`);
  const server = spawn(pinnedNode(), [join(example, "server.ts")], { stdio: "inherit" });
  let isStopped = false;
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT"]))
    process.on(signal, () => {
      isStopped = true;
      server.kill(signal);
    });
  // Signalled with its group it hears it twice: the second may find it past its own handlers, already ending.
  server.once("exit", (code) => process.exit(code ?? (isStopped ? 0 : 1)));
});
