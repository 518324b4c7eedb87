/**
 * Kysely over one connection that somebody else opens and begins transactions on.
 *
 * Handlers' typed queries run on the engine's connection and so in its transaction. It deliberately begins and
 * ends no transaction itself, and has no pool: migrations, which want both, use Kysely's own driver.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type { SomeTables } from "../../plugin.ts";

export type RunStatement = (
  text: string,
  values: readonly unknown[],
) => Promise<{ readonly command: string; readonly rowCount: number | null; readonly rows: unknown[] }>;

export function kyselyOver(run: RunStatement): Kysely<SomeTables> {
  return new Kysely<SomeTables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driverOver(run),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

/** `text` holds no NUL; half a surrogate pair becomes the same sign on its way as UTF-8. Keys are looked up as they were kept. */
const holdable = (value: unknown): unknown =>
  typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\ufffd") : value;

const changing: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

function driverOver(run: RunStatement): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      const { command, rowCount, rows } = await run(sql, parameters.map(holdable));
      const result: QueryResult<Row> = { rows: rows as Row[] };
      return changing.has(command) ? { ...result, numAffectedRows: BigInt(rowCount ?? 0) } : result;
    },
    streamQuery() {
      throw new TypeError("a handler reads whole results: it must not stream");
    },
  };
  const refuse = (): Promise<never> =>
    Promise.reject(new TypeError("a handler runs within the batch's transaction: it must not begin one"));
  return {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    releaseConnection: () => Promise.resolve(),
    destroy: () => Promise.resolve(),
  };
}
