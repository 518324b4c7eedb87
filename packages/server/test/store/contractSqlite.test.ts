/** The store's contract on the embedded store: two workers over a file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platformClock } from "../../src/ports/platform.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { contractApp } from "./contract/implementation.ts";
import { storeContract } from "./contract/storeContract.ts";

storeContract(
  {
    name: "SQLite in workers",
    open: async () => {
      const folder = mkdtempSync(join(tmpdir(), "holdfast-contract-"));
      const store = await openSqliteStore({
        folder,
        plugins: [contractApp],
        clock: platformClock,
        onFailure: () => {},
      });
      return {
        ...store,
        close: async () => {
          await store.close();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  },
  { runs: 40 },
);
