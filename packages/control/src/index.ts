/** The control centre for programs that compose a server: its plugin and its contract. */
export * from "../contract/index.ts";
export { plugin } from "./plugin.ts";
