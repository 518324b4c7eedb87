/** Runs the contract of a storage over this browser's IndexedDB. */
import { indexedDbStorage, type SessionStorage } from "@holdfast/client/storage";
import { storageCases } from "../../../packages/client/test/support/storageContract.ts";

export interface StoragePage {
  readonly titles: readonly string[];
  /** What went wrong, or undefined. */
  run(title: string): Promise<string | undefined>;
  /** Rejects where another page owns it. */
  open(name: string): Promise<unknown>;
}

const contract: StoragePage = {
  titles: Object.keys(storageCases),
  open: (name) => indexedDbStorage(name).open(),
  async run(title) {
    let before: SessionStorage | undefined;
    const reopen = async (): Promise<SessionStorage> => {
      before?.close();
      before = indexedDbStorage(`contract ${title}`);
      return before;
    };
    try {
      await storageCases[title]?.(reopen);
      return undefined;
    } catch (error) {
      return String(error);
    } finally {
      before?.close();
    }
  },
};
Object.assign(window, { contract });
