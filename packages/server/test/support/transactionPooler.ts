/**
 * A pooler in front of a PostgreSQL that gives each transaction another connection, as PgBouncer and Supabase's port
 * 6543 do in their mode `transaction`.
 *
 * Life cycle of a client: its parameters are looked at, and an unknown one is refused, as PgBouncer refuses it → it gets
 * the greeting of a server's connection → each of its transactions takes the connection that was idle longest, or waits
 * for one → at its end the connection is anybody's again. A client that goes in the middle of a transaction takes the
 * connection with it. Notices are passed on to nobody. It speaks for one user and one database.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TransactionPooler {
  /** The same database through the pooler. */
  readonly url: string;
  /** Transactions that it gave a connection. */
  readonly transactions: number;
  close(): void;
}

interface Upstream {
  readonly socket: Socket;
  /** What is sent to a client at its beginning. */
  greeting: Buffer;
  client: Client | undefined;
}

interface Client {
  readonly socket: Socket;
  upstream: Upstream | undefined;
  waiting: Buffer[];
  /** Messages sent that are answered with a `ReadyForQuery` each. */
  unanswered: number;
}

const socketName = ".s.PGSQL.5432";
/** What PgBouncer takes without being told to ignore more. */
const known = new Set(["user", "database", "application_name", "client_encoding", "datestyle", "timezone"]);
const answered = new Set(["Q", "S"]);

/** @param connections to the database, for all clients together */
export function startTransactionPooler(url: string, connections: number): Promise<TransactionPooler> {
  const real = new URL(url);
  const realSocket = join(real.searchParams.get("host") ?? "", socketName);
  const folder = mkdtempSync(join(tmpdir(), "hf-pool-"));
  const sockets = new Set<Socket>();
  const idle: Upstream[] = [];
  const line: Client[] = [];
  let upstreams = 0;
  let transactions = 0;

  const watch = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  };

  const serve = (): void => {
    while (line.length > 0 && idle.length > 0) {
      const [client, upstream] = [line.shift(), idle.shift()];
      if (client === undefined || upstream === undefined) return;
      client.upstream = upstream;
      upstream.client = client;
      transactions += 1;
      forward(client);
    }
  };
  const forward = (client: Client): void => {
    for (const message of client.waiting.splice(0)) {
      if (answered.has(kindOf(message))) client.unanswered += 1;
      client.upstream?.socket.write(message);
    }
  };
  const release = (upstream: Upstream): void => {
    if (upstream.client !== undefined) upstream.client.upstream = undefined;
    upstream.client = undefined;
    idle.push(upstream);
    serve();
  };

  /** Opens one more, with what a client said of itself. */
  const openUpstream = (startup: Buffer, greet: (greeting: Buffer) => void): void => {
    upstreams += 1;
    const upstream: Upstream = {
      socket: watch(createConnection(realSocket)),
      greeting: Buffer.alloc(0),
      client: undefined,
    };
    let isGreeted = false;
    upstream.socket.write(startup);
    upstream.socket.on(
      "data",
      inMessages((message) => {
        const kind = kindOf(message);
        if (!isGreeted) {
          upstream.greeting = Buffer.concat([upstream.greeting, message]);
          if (kind !== "Z") return;
          isGreeted = true;
          greet(upstream.greeting);
          release(upstream);
          return;
        }
        if (kind === "A") return;
        const { client } = upstream;
        client?.socket.write(message);
        if (kind !== "Z" || client === undefined) return;
        client.unanswered -= 1;
        if (client.unanswered === 0 && message.toString("latin1", 5, 6) === "I") release(upstream);
      }),
    );
    upstream.socket.on("close", () => {
      upstreams -= 1;
      const place = idle.indexOf(upstream);
      if (place >= 0) idle.splice(place, 1);
      upstream.client?.socket.destroy();
    });
  };

  let greeting: Buffer | undefined;
  const server = createServer((socket) => {
    watch(socket);
    const client: Client = { socket, upstream: undefined, waiting: [], unanswered: 0 };
    const take = inMessages((message) => {
      if (kindOf(message) === "X") return;
      client.waiting.push(message);
      if (client.upstream !== undefined) forward(client);
      else if (!line.includes(client)) line.push(client);
      serve();
    });
    socket.once("data", (startup: Buffer) => {
      const unknown = parametersOf(startup).find((name) => !known.has(name.toLowerCase()));
      if (unknown !== undefined) {
        socket.end(refusal(`unsupported startup parameter: ${unknown}`));
        return;
      }
      socket.on("data", take);
      if (greeting !== undefined && upstreams >= connections) socket.write(greeting);
      else
        openUpstream(startup, (said) => {
          greeting = said;
          socket.write(said);
        });
    });
    socket.on("close", () => {
      const place = line.indexOf(client);
      if (place >= 0) line.splice(place, 1);
      client.upstream?.socket.destroy();
    });
  });

  real.searchParams.set("host", folder);
  return new Promise((done) => {
    server.listen(join(folder, socketName), () =>
      done({
        url: real.href,
        get transactions() {
          return transactions;
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

const kindOf = (message: Buffer): string => message.toString("latin1", 0, 1);

/** Cuts what comes into whole messages: a letter, and a length that counts itself. */
function inMessages(hear: (message: Buffer) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length >= 1 + rest.readInt32BE(1)) {
      const end = 1 + rest.readInt32BE(1);
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      hear(message);
    }
  };
}

/** Names of a startup message: its length, the protocol's version, then names and values. */
function parametersOf(startup: Buffer): string[] {
  const texts = startup.toString("utf8", 8).split("\0");
  return texts.filter((text, index) => index % 2 === 0 && text !== "");
}

function refusal(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${message}\0\0`);
  const head = Buffer.from("E\0\0\0\0", "latin1");
  head.writeInt32BE(4 + fields.length, 1);
  return Buffer.concat([head, fields]);
}
