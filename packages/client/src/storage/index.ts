/** What survives a reload: in a browser (IndexedDB), in memory for tests, and how a stream's state is kept. */
export { indexedDbStorage } from "./indexedDbShell.ts";
export type * from "./port.ts";
