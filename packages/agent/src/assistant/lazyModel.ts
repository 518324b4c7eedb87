/**
 * A model that is made when it is first asked: the AI SDK is large, and a key that cannot be opened is the trouble of who asks.
 *
 * Invariant: what goes wrong in the making is told as a sentence to the person who waits, never with the key; the next answer
 * tries again.
 */
import type { AgentLog } from "../log.ts";
import { type ChatModel, ModelError } from "./chatModel.ts";

export function lazyModel(make: () => Promise<ChatModel>, log: AgentLog): ChatModel {
  let made: Promise<ChatModel> | undefined;
  const ready = async (): Promise<ChatModel> => {
    made ??= make();
    try {
      return await made;
    } catch (error) {
      made = undefined;
      log.error("assistant.model.unusable", { error });
      throw new ModelError("its key cannot be opened on this machine: an administrator must enter it again", false);
    }
  };
  return {
    async *answer(turns, signal) {
      yield* (await ready()).answer(turns, signal);
    },
  };
}
