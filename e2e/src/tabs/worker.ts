/** The script of the shared worker, as an app would write it. */
import { indexedDbStorage } from "@holdfast/client/storage";
import { serveTabs, type WorkerScope } from "@holdfast/client/tabs/worker";

serveTabs(globalThis as unknown as WorkerScope, { storage: (name) => indexedDbStorage(name) });
