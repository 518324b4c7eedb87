/**
 * The network between clients and nodes: paths with their faults, and the connections that are open.
 *
 * A path belongs to one machine of a client; everything of that machine goes over it. Faults change a path (slow,
 * shut, refusing) or end connections, in the ways in which TCP connections end: with a reset that both sides see,
 * that one side sees, or that none does. Invariant: whatever happens to a socket, its two owners hear only what
 * their side of a real one would hear.
 */
import { type Dice, dice } from "../core/dice.ts";
import type { Process } from "../core/process.ts";
import type { Scheduler } from "../core/scheduler.ts";
import type { Trace } from "../core/trace.ts";
import { Connection } from "./connection.ts";
import type { Quality } from "./direction.ts";
import type { Path } from "./path.ts";
import type { ServerProcess } from "./serverProcess.ts";

export interface NetworkParts {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  /** Where a new connection goes: one of the nodes that listen, if any. */
  readonly route: (dice: Dice) => ServerProcess | undefined;
}

export class Network {
  readonly connections = new Set<Connection>();
  readonly paths: Path[] = [];
  private readonly parts: NetworkParts;
  private opened = 0;

  constructor(parts: NetworkParts) {
    this.parts = parts;
  }

  path(name: string, latencyMs: number, jitterMs: number): Path {
    const quality = (): Quality => ({ latencyMs, jitterMs, bytesPerMs: Number.POSITIVE_INFINITY, isShut: false });
    const path: Path = {
      name,
      up: quality(),
      down: quality(),
      isUnreachable: false,
      afterPing: undefined,
      shutAt: Number.NEGATIVE_INFINITY,
    };
    this.paths.push(path);
    return path;
  }

  /** Begins one connection of `client`. Every outcome arrives at its `events`. */
  connect(client: Process, path: Path, events: ConstructorParameters<typeof Connection>[0]["events"]): Connection {
    this.opened += 1;
    const { seed, scheduler, trace, route } = this.parts;
    const chance = dice(seed, "connection", path.name, this.opened);
    const connection: Connection = new Connection({
      number: this.opened,
      scheduler,
      trace,
      client,
      path,
      dice: chance,
      server: path.isUnreachable ? undefined : route(chance),
      events,
      gone: () => this.connections.delete(connection),
    });
    this.connections.add(connection);
    connection.open();
    return connection;
  }

  of(path: Path): Connection[] {
    return [...this.connections].filter((one) => one.path === path);
  }

  /** Shuts or opens a path, one way or both. */
  shut(path: Path, ways: "up" | "down" | "both", isShut: boolean): void {
    if (ways !== "down") path.up.isShut = isShut;
    if (ways !== "up") path.down.isShut = isShut;
    path.shutAt = this.parts.scheduler.now;
    if (!isShut) for (const connection of this.of(path)) connection.release();
  }
}
