/** What survives a reload: IndexedDB in a browser, memory in tests, and how a stream's state is kept with its cursor. */
export { indexedDbStorage } from "./indexedDbShell.ts";
export { memoryStorage } from "./memory.ts";
export type * from "./port.ts";
export { type StoredOptions, subscribeStored } from "./subscribeStored.ts";
