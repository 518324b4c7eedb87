/** `@holdfast/server/backup`: the embedded store of a data folder, to a file and back, without a server. */
import { plugin as auth } from "./auth/plugin.ts";
import type { Plugin } from "./plugin.ts";

export { StartError } from "./options.ts";
export { type BackedUp, backupStore, type Restored, restoreStore } from "./store/sqlite/backup.ts";

/** The server's own plugins, beside the app's: their tables are in every store. */
export const ownPlugins: readonly Plugin[] = [auth];
