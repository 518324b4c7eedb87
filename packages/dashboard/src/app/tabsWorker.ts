/** The shared worker that has the one socket of all tabs of this person. */
import { indexedDbStorage } from "@holdfast/client/storage";
import { serveTabs, type WorkerScope } from "@holdfast/client/tabs/worker";

serveTabs(globalThis as unknown as WorkerScope, { storage: (name) => indexedDbStorage(name) });
