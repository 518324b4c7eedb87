/** The store's contract on the engine in this thread, as the simulation runs it: SQLite in memory. */

import { inProcessStore } from "../../src/store/inProcess.ts";
import { openEngine } from "../support/engine.ts";
import { plugin } from "./contract/contractApp.ts";
import { storeContract } from "./contract/storeContract.ts";

storeContract(
  {
    name: "the engine over SQLite in memory",
    open: async () => {
      const { engine, dialect } = await openEngine([plugin]);
      return inProcessStore(engine, dialect);
    },
  },
  { runs: 400 },
);
