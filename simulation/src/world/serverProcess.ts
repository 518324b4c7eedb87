/**
 * One node as a process: started, listening, drained or killed, and started again by its supervisor.
 *
 * The node is the production's `createNode`, given simulated ports. Each start is a new process with empty memory;
 * the database is what outlives it. A start that fails (the store does not answer) ends the process, and the
 * supervisor tries again. Invariant: a killed node does nothing more, in the middle of whatever it did.
 */
import type { Log } from "@holdfast/server";
import type { ConnectionLimits } from "../../../packages/server/src/connectionLimits.ts";
import type { ServerSocket, ServerSocketEvents } from "../../../packages/server/src/gateway/serverSocket.ts";
import { createNode, type Node } from "../../../packages/server/src/node.ts";
import type { Lifetimes } from "../../../packages/server/src/store/lifetimes.ts";
import type { Store } from "../../../packages/server/src/store/port.ts";
import type { Bus } from "../../../packages/server/src/streams/bus.ts";
import { dice } from "../core/dice.ts";
import { Process } from "../core/process.ts";
import type { Scheduler } from "../core/scheduler.ts";
import { app } from "./app.ts";
import { type Issuer, makeAuthenticator, type NodeAuthenticator } from "./issuer.ts";

/** How long the supervisor waits before it starts a node again; doubled with each start that fails. */
const restartMs = 500;
const restartMsMax = 16_000;

/** One that it holds: told when the process is gone. */
interface Held {
  processEnded(end: "server", isSilent: boolean): void;
}

export interface ServerProcessParts {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly name: string;
  readonly issuer: Issuer;
  readonly skewMs: number;
  readonly openStore: (process: Process) => Store;
  /** undefined: the node is alone. */
  readonly openBus: (process: Process) => Bus | undefined;
  /** Of one incarnation: a process that starts anew remembers nothing of what the one before has logged. */
  readonly logOf: (process: string) => Log;
  readonly limits: ConnectionLimits;
  readonly lifetimes: Lifetimes;
  /** Its authenticator could not judge somebody. */
  readonly verdictRefused: () => void;
  readonly started: (process: Process) => void;
}

export class ServerProcess {
  readonly name: string;
  process: Process;
  /** Sockets that this incarnation has accepted and not given back. */
  readonly connections = new Set<Held>();
  node: Node<NodeAuthenticator> | undefined;
  /** It dies in the middle of its next writes: so many more go out. */
  writesLeft: number | undefined;
  isListening = false;
  /** When the store last took anything of it. */
  committedAt = Number.NEGATIVE_INFINITY;
  /** Restarts wait until this virtual time. */
  heldUntil = 0;
  skewMs: number;
  private readonly parts: ServerProcessParts;
  private starts = 0;
  private failedStarts = 0;

  constructor(parts: ServerProcessParts) {
    this.parts = parts;
    this.name = parts.name;
    this.skewMs = parts.skewMs;
    this.process = new Process(parts.scheduler, `${parts.name} 0`);
    this.process.kill();
  }

  get isAlive(): boolean {
    return this.process.isAlive;
  }

  start(): void {
    if (this.isAlive) return;
    this.starts += 1;
    const { parts, starts } = this;
    const process = new Process(parts.scheduler, `${parts.name} ${starts}`, this.skewMs);
    this.process = process;
    this.writesLeft = undefined;
    void this.boot(process).catch((error: unknown) => {
      if (!process.isAlive) return;
      parts.logOf(process.name).error("server.start_failed", { node: parts.name, error });
      this.kill(false);
      this.failedStarts += 1;
      this.restartIn(Math.min(restartMsMax, restartMs * 2 ** this.failedStarts));
    });
  }

  /** The supervisor starts it again, unless it is held down. */
  restartIn(ms: number): void {
    const { scheduler, name } = this.parts;
    const at = Math.max(scheduler.now + ms, this.heldUntil);
    scheduler.at(scheduler.lane(`${name} supervisor`), at, () => {
      if (this.heldUntil > scheduler.now) this.restartIn(0);
      else this.start();
    });
  }

  accept(socket: ServerSocket, address: string, connection: Held): ServerSocketEvents | undefined {
    const { node } = this;
    if (!this.isAlive || !this.isListening || node === undefined) return undefined;
    this.connections.add(connection);
    const events = node.gateway.accept(this.guarded(socket), {}, address);
    return {
      ...events,
      closed: (code, reason) => {
        this.connections.delete(connection);
        events.closed(code, reason);
      },
    };
  }

  /** SIGKILL; `isSilent`: the machine went with it, and tells nobody. */
  kill(isSilent: boolean): void {
    if (!this.isAlive) return;
    this.isListening = false;
    this.node = undefined;
    this.process.kill();
    for (const connection of [...this.connections]) connection.processEnded("server", isSilent);
    this.connections.clear();
  }

  /** CL-9, and the end of the process. */
  async drain(): Promise<void> {
    const { node, process } = this;
    this.isListening = false;
    await node?.stop();
    if (process.isAlive) this.kill(false);
  }

  private async boot(process: Process): Promise<void> {
    const { seed, name, issuer, logOf, openStore, openBus, verdictRefused, limits, lifetimes } = this.parts;
    const bus = openBus(process);
    const node = await createNode({
      app,
      store: openStore(process),
      clock: process.clock,
      random: dice(seed, "node", name, this.starts),
      log: logOf(process.name),
      mode: "local",
      limits,
      lifetimes,
      authenticator: async () => makeAuthenticator(issuer, process, verdictRefused),
      ...(bus === undefined ? {} : { bus }),
    });
    await node.start();
    if (!process.isAlive) return;
    this.node = node;
    this.isListening = true;
    this.failedStarts = 0;
    this.parts.started(process);
  }

  /** Counts the writes that are left where it is to die among them. */
  private guarded(socket: ServerSocket): ServerSocket {
    const { process } = this;
    const mine = (): boolean => {
      if (!process.isAlive) return false;
      if (this.writesLeft === undefined) return true;
      if (this.writesLeft === 0) {
        this.kill(false);
        this.restartIn(restartMs);
        return false;
      }
      this.writesLeft -= 1;
      return true;
    };
    return {
      write: (frame) => {
        if (mine()) socket.write(frame);
      },
      get unsentBytes() {
        return socket.unsentBytes;
      },
      close: (code, reason) => {
        if (process.isAlive) socket.close(code, reason);
      },
      terminate: () => {
        if (process.isAlive) socket.terminate();
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    };
  }
}
