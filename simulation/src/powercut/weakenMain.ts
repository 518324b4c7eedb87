/**
 * Loaded before a writer with `--import`: gives it a store that is less durable than ours, to show that a power cut
 * cuts. `POWERCUT_SYNCHRONOUS` is SQLite's `off` or `normal`.
 *
 * It changes the text of the one production file as it is loaded, in this process and its workers, and nothing on
 * the disk. Where the file no longer says what is replaced, it ends the process rather than prove nothing.
 */
import { registerHooks } from "node:module";

const original = "pragma synchronous=full";
const weaker = process.env["POWERCUT_SYNCHRONOUS"] ?? "off";

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/store/sqlite/dialect.ts")) return loaded;
    const source =
      typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source as Uint8Array);
    if (!source.includes(original)) throw new Error(`${url} does not say "${original}": correct weakenMain.ts`);
    return { ...loaded, source: source.replace(original, `pragma synchronous=${weaker}`) };
  },
});
