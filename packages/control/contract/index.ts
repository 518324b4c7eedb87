/** The contract of the control domain: shared, for its types, by `control`, `agent` and `dashboard`. */
export * from "./events.ts";
export * from "./methods.ts";
export * from "./nouns.ts";
