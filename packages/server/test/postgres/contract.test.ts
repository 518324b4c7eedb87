/** The store's contract on PostgreSQL. */
import { platformClock, platformRandom } from "../../src/ports/platform.ts";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import { contractApp } from "../store/contract/implementation.ts";
import { storeContract } from "../store/contract/storeContract.ts";
import { startPostgres } from "../support/postgresServer.ts";

storeContract(
  {
    name: "PostgreSQL",
    open: async () => {
      const server = await startPostgres();
      const url = await server.newDatabase();
      const store = await openPostgresStore({
        url,
        plugins: [contractApp],
        clock: platformClock,
        random: platformRandom,
        name: "contract",
      }).catch(async (error: unknown) => {
        await server.end();
        throw error;
      });
      return {
        ...store,
        close: async () => {
          await store.close();
          await server.end();
        },
      };
    },
  },
  { runs: 40 },
);
