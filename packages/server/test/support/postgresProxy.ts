/**
 * Stands between a store and its PostgreSQL, and loses the answer to a commit in one of three ways.
 *
 * It reads of the protocol no more than whether a piece from the client holds the statement `commit`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * `before`: the connection is cut before the commit got through. `after`: after it, before its answer. `late`: it gets
 * through only after the client has already lost the connection.
 */
export type CommitLoss = "before" | "after" | "late";

export interface PostgresProxy {
  /** The same database through the proxy. */
  readonly url: string;
  /** Loses the next commit. */
  loseCommit(how: CommitLoss): void;
  /** How many were lost. */
  readonly lost: number;
  close(): void;
}

const socketName = ".s.PGSQL.5432";
const lateMs = 700;
const commit = Buffer.from("Q\0\0\0\x0bcommit\0", "latin1");

export function startPostgresProxy(url: string): Promise<PostgresProxy> {
  const real = new URL(url);
  const realSocket = join(real.searchParams.get("host") ?? "", socketName);
  const folder = mkdtempSync(join(tmpdir(), "hf-pgx-"));
  const sockets = new Set<Socket>();
  let next: CommitLoss | undefined;
  let lost = 0;

  const server = createServer((client) => {
    const database = createConnection(realSocket);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    let isCut = false;
    client.on("data", (bytes) => {
      if (next === undefined || !bytes.includes(commit)) {
        database.write(bytes);
        return;
      }
      const how = next;
      next = undefined;
      lost += 1;
      isCut = true;
      if (how === "before") {
        client.destroy();
        database.destroy();
      } else if (how === "after") {
        database.once("data", () => client.destroy());
        database.write(bytes, () => setTimeout(() => client.destroy(), lateMs));
      } else {
        client.destroy();
        setTimeout(() => database.end(bytes), lateMs);
      }
    });
    database.on("data", (bytes) => {
      if (!isCut) client.write(bytes);
    });
    client.on("close", () => {
      if (!isCut) database.end();
    });
    database.on("close", () => client.destroy());
  });

  real.searchParams.set("host", folder);
  return new Promise((done) => {
    server.listen(join(folder, socketName), () =>
      done({
        url: real.href,
        loseCommit: (how) => {
          next = how;
        },
        get lost() {
          return lost;
        },
        close() {
          for (const socket of sockets) socket.destroy();
          server.close();
          rmSync(folder, { recursive: true, force: true });
        },
      }),
    );
  });
}
