/** What two programs swear to. No Zod at run time: schemas are behind `@holdfast/protocol/schema`. */
export * from "./assert.ts";
export * from "./closeCodes.ts";
export * from "./errorRules.ts";
export * from "./errors.ts";
export * from "./ids.ts";
export * as limits from "./limits.ts";
export type * from "./messages.ts";
export type * from "./ports.ts";
export * from "./retryAfter.ts";
