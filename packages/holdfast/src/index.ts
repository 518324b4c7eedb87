/** The command line as a library: one function that runs a command, and the configuration it reads. */
export { runCommand } from "./commands/run.ts";
export { type Config, fields } from "./config/fields.ts";
export { resolveConfig } from "./config/resolve.ts";
