/**
 * One worker of a campaign: a sealed process that runs plans one after the other.
 *
 * A planted bug is put into a file's text as it is loaded, before anything of the product is: so only what is
 * imported here, dynamically and after the hook, may import the product.
 */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { plant } from "./planted/bug.ts";
import { bugNamed } from "./planted/bugs.ts";

const planted = process.argv[2];
if (planted !== undefined) {
  const bug = bugNamed(planted);
  if (bug === undefined) throw new TypeError(`there is no planted bug "${planted}"`);
  const place = new URL(`../../${bug.file}`, import.meta.url).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== place || loaded.source === undefined || loaded.source === null) return loaded;
      const source =
        typeof loaded.source === "string" ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
      return { ...loaded, source: plant(bug, source) };
    },
  });
  process.title = `simulation ${fileURLToPath(place)}`;
}

const { serveWorker } = await import("./shell/workerShell.ts");
serveWorker();
