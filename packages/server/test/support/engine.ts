/** An engine over a database in memory, as the store's worker makes it. */
import { randomBytes } from "node:crypto";
import type { Plugin } from "../../src/plugin.ts";
import type { Dialect } from "../../src/store/dialect.ts";
import { createEngine, type Engine } from "../../src/store/engine.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openSqlite } from "../../src/store/sqlite/dialect.ts";
import { plugin as notes } from "./notesApp.ts";

export async function openEngine(
  plugins: readonly Plugin[] = [notes],
  now = () => Date.now(),
): Promise<{ engine: Engine; dialect: Dialect }> {
  const dialect = openSqlite({ file: ":memory:", readOnly: false });
  await migrate(dialect.kysely, plugins);
  return {
    engine: createEngine({ dialect, plugins, clock: { now }, random: { bytes: (count) => randomBytes(count) } }),
    dialect,
  };
}
