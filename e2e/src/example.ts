/**
 * An app of `examples/`, started as its README says: `npm start -w @holdfast/example-<name>`.
 *
 * It can be killed and started again on the same port and folder, as by a machine that lost power. Its log, one
 * JSON line a record on standard error, tells from outside which connections it holds.
 */
import { newFolder, run } from "./holdfast.ts";
import { waitFor } from "./waiting.ts";

/** Builds its page first. */
const readyMsMax = 60_000;

export interface Connection {
  readonly id: string;
  readonly client: string;
  readonly user: string;
  /** ms since 1970, on the server's clock. */
  readonly openedAt: number;
  /** undefined while it is open. */
  readonly closedAt: number | undefined;
}

export interface Example {
  readonly url: string;
  readonly port: number;
  /** Of this process, in the order of their opening. */
  connections(): readonly Connection[];
  /** What it logged at level error, as it stands there. */
  faults(): readonly string[];
  /** SIGKILL to npm and all below it; resolves when they are gone. */
  kill(): Promise<void>;
  /** The same again: its port, its folder. */
  again(): Promise<Example>;
}

/** Starts one and waits for `ready`. */
export async function startExample(
  name: "board" | "chat" | "assistant",
  place: { readonly data: string; readonly port: number } = { data: newFolder(), port: 0 },
  environment: { readonly [name: string]: string } = {},
): Promise<Example> {
  const command = run("npm", ["start", "-w", `@holdfast/example-${name}`], {
    DATA: place.data,
    PORT: String(place.port),
    ...environment,
  });
  const url = await waitFor(
    () => {
      if (command.ended !== undefined) throw new Error(`${name} ended before ready:\n${command.errors()}`);
      return /^ready (\S+)$/m.exec(command.output())?.[1];
    },
    { msMax: readyMsMax, what: `ready of example ${name}` },
  );
  const port = Number(new URL(url).port);
  const records = (): readonly Record[] => command.errors().split("\n").flatMap(recordOf);
  return {
    url,
    port,
    connections: () => connectionsOf(records()),
    faults: () => records().flatMap((record) => (record.level === "error" ? [JSON.stringify(record)] : [])),
    kill: async () => {
      command.signalGroup("SIGKILL");
      await command.end();
    },
    again: () => startExample(name, { data: place.data, port }, environment),
  };
}

interface Record {
  readonly level: string;
  readonly event: string;
  readonly time: number;
  readonly connection?: string;
  readonly client?: string;
  readonly user?: string;
}

/** npm and Vite say things of their own between the records. */
function recordOf(line: string): readonly Record[] {
  try {
    return line.startsWith("{") ? [JSON.parse(line) as Record] : [];
  } catch {
    return [];
  }
}

function connectionsOf(records: readonly Record[]): readonly Connection[] {
  const closedAt = new Map<string, number>();
  for (const { event, connection, time } of records)
    if (event === "connection.closed" && connection !== undefined) closedAt.set(connection, time);
  return records.flatMap(({ event, connection: id, client, user, time }) =>
    event === "connection.opened" && id !== undefined && client !== undefined && user !== undefined
      ? [{ id, client, user, openedAt: time, closedAt: closedAt.get(id) }]
      : [],
  );
}
