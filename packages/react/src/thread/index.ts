/** One thread of a control centre as a value, without React: the fold of its stream, shared by our page and `useThread`. */

export { looseOf } from "./olderPages.ts";
export {
  type CommandOutcome,
  readsStream,
  type ThreadEventData,
  type ThreadMethods,
  type ThreadSnapshot,
  threadStream,
} from "./threadEvents.ts";
export { threadFromSnapshot } from "./threadFromSnapshot.ts";
export {
  commandsKeptMax,
  defaultSize,
  emptyThread,
  foldThread,
  messagesKeptMax,
  type ThreadCommand,
  type ThreadMessage,
  type ThreadState,
} from "./threadState.ts";
