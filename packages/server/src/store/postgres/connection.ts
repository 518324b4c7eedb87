/**
 * One connection to PostgreSQL that comes back after it was lost, but never within a transaction.
 *
 * Life cycle: not open → connecting → open → lost (an error, a deadline) → not open; `connect` opens it again, until `close`. A
 * statement on a connection that is not open fails at once: run elsewhere, it would be outside the transaction
 * that it belongs to. Invariants: every statement ends within {@link ConnectionSettings.queryMsMax}, or the
 * connection is dropped; statements are sent at once and answered in their order (pipelining). It deliberately
 * retries nothing.
 */
import { Socket } from "node:net";
import type { Clock } from "@holdfast/protocol";
import pg from "pg";
import { ConnectionLost } from "./errors.ts";

const keepAliveAfterMs = 10_000;
/** A database that hangs hears of no end. */
const endMsMax = 1_000;
const int8 = 20;
const numeric = 1700;

export interface ConnectionSettings {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly name: string;
  readonly clock: Clock;
  readonly connectMsMax: number;
  readonly queryMsMax: number;
}

export interface PostgresConnection {
  /** Opens it where it is not open. Rejects with why it cannot. */
  connect(): Promise<void>;
  readonly isOpen: boolean;
  /** It opens never again. */
  readonly isClosed: boolean;
  query(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  /** Hears `NOTIFY`, from now on and after each `connect`. */
  onNotice(hear: (payload: string) => void): void;
  /** Hears of each loss, once. */
  onLost(hear: (error: unknown) => void): void;
  /** Gives it up: what is under way fails. */
  drop(why: string): void;
  close(): Promise<void>;
}

/** Whole numbers up to 2⁵³ as numbers, since offsets, sequences and times are: the driver gives texts. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === int8 || oid === numeric ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export function createConnection(settings: ConnectionSettings): PostgresConnection {
  const { clock, queryMsMax } = settings;
  let open: { readonly client: pg.Client; readonly socket: Socket } | undefined;
  let connecting: Promise<void> | undefined;
  let opening: Socket | undefined;
  let isClosed = false;
  let hearNotice: ((payload: string) => void) | undefined;
  let hearLoss: ((error: unknown) => void) | undefined;

  const lost = (client: pg.Client, error: unknown): void => {
    if (open?.client !== client) return;
    open.socket.destroy();
    open = undefined;
    hearLoss?.(error);
  };

  const connect = async (): Promise<void> => {
    if (isClosed) throw new ConnectionLost("the connection to the database is closed");
    const socket = new Socket();
    opening = socket;
    const client = newClient(settings, socket);
    // Before it is open, its errors reach `connect` itself; afterwards an unheard one would end the process.
    client.on("error", (error) => lost(client, error));
    client.on("end", () => lost(client, new ConnectionLost("the database ended the connection")));
    client.on("notification", ({ payload }) => hearNotice?.(payload ?? ""));
    const timer = clock.after(settings.connectMsMax, () => {
      socket.destroy(new ConnectionLost(`no connection within ${settings.connectMsMax} ms`));
    });
    try {
      await client.connect();
      open = { client, socket };
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      opening = undefined;
      clock.cancel(timer);
    }
  };

  const connection: PostgresConnection = {
    get isOpen() {
      return open !== undefined;
    },
    get isClosed() {
      return isClosed;
    },
    connect() {
      if (open !== undefined) return Promise.resolve();
      connecting ??= connect().finally(() => {
        connecting = undefined;
      });
      return connecting;
    },
    async query(text, values) {
      const on = open;
      if (on === undefined) throw new ConnectionLost("the connection to the database is lost");
      const timer = clock.after(queryMsMax, () => {
        lost(on.client, new ConnectionLost(`no answer within ${queryMsMax} ms to: ${text.slice(0, 80)}`));
      });
      try {
        return await (values === undefined ? on.client.query(text) : on.client.query(text, [...values]));
      } catch (error) {
        throw error instanceof pg.DatabaseError ? error : new ConnectionLost(reasonOf(error), { cause: error });
      } finally {
        clock.cancel(timer);
      }
    },
    onNotice(hear) {
      hearNotice = hear;
    },
    onLost(hear) {
      hearLoss = hear;
    },
    drop(why) {
      if (open !== undefined) lost(open.client, new ConnectionLost(why));
    },
    async close() {
      isClosed = true;
      opening?.destroy(new ConnectionLost("the connection to the database is closed"));
      const on = open;
      open = undefined;
      if (on === undefined) return;
      const late = clock.after(endMsMax, () => on.socket.destroy());
      await on.client.end().catch(() => {});
      clock.cancel(late);
    },
  };
  return connection;
}

function newClient({ url, name }: ConnectionSettings, socket: Socket): pg.Client {
  return new pg.Client({
    connectionString: url,
    application_name: name,
    stream: () => socket,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    pipeline: true,
    types,
  });
}

function reasonOf(error: unknown): string {
  return `the connection to the database is lost (${error instanceof Error ? error.message : String(error)})`;
}
