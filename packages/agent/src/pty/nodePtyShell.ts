/**
 * The pty port on `@lydell/node-pty`.
 *
 * Why more than a call: 200 ms after a program's exit node-pty destroys the reading side, whatever is still
 * unread. A reader that is paused (PB-4) or late would lose the end of the output. So its `destroy` is held
 * back here until the kernel has nothing more (EIO or EOF), or, where a background process of the program
 * keeps the terminal open, until it is quiet. And node-pty writes through the same socket, which blocks the
 * whole process where a program reads nothing: writing goes through {@link InputQueue} instead.
 *
 * It reaches for two private fields of node-pty, the socket and its descriptor; the version is pinned, and a
 * missing field is an assertion at the first spawn, not a lost byte.
 */
import { Socket } from "node:net";
import { assert, type Clock } from "@holdfast/protocol";
import { spawn } from "@lydell/node-pty";
import { withoutInheritance } from "./inheritance.ts";
import { InputQueue } from "./inputQueue.ts";
import type { Pty, PtyEvents, SpawnPty } from "./port.ts";

/** Silence after the exit, twice in a row: between two timers the event loop has surely looked at the terminal. */
const quietTickMs = 50;
const quietTicks = 2;
/** How long a background process may go on printing after its program's exit, ms of unpaused reading. */
const outliveMsMax = 5_000;

const pinned = "pin @lydell/node-pty to the version that this was written for";

/** Spawns on this machine; `clock` arms the timers after an exit. */
export function nodePty(clock: Clock): SpawnPty {
  return (options, events) => {
    const [file, ...rest] = withoutInheritance(options.command);
    const terminal = spawn(file, rest, {
      cwd: options.cwd,
      env: { ...options.environment },
      cols: options.cols,
      rows: options.rows,
      name: "xterm-256color",
      // Bytes as they are: a decoder would replace what is no UTF-8.
      encoding: null,
    });
    const { _socket: socket, fd } = terminal as unknown as { readonly _socket: unknown; readonly fd: unknown };
    assert(socket instanceof Socket, `node-pty has no \`_socket\`: ${pinned}`);
    assert(typeof fd === "number", `node-pty has no \`fd\`: ${pinned}`);
    // node-pty throws what it cannot explain unless somebody listens beside it; an end is told by `onExit`.
    socket.on("error", () => {});
    const input = new InputQueue(fd, clock);
    const reading = new Reading(socket, clock, events, () => input.close());
    let ended = false;
    terminal.onExit(({ exitCode, signal }) => {
      ended = true;
      reading.stop();
      events.ended({ exitCode, signal: signal === 0 ? undefined : signal });
    });
    return {
      pid: terminal.pid,
      write: (bytes) => input.push(bytes),
      resize: (cols, rows) => {
        if (!ended && !socket.destroyed) terminal.resize(cols, rows);
      },
      pause: () => reading.pause(),
      resume: () => reading.resume(),
      signal: (name) => {
        if (!ended) signalGroup(terminal.pid, name);
      },
    } satisfies Pty;
  };
}

/** The reading side: hands out bytes, and decides when there are no more. */
class Reading {
  private readonly socket: Socket;
  private readonly clock: Clock;
  private paused = false;
  private heard = false;
  private quiet = 0;
  private waitedMs = 0;
  private released = false;
  private timer: unknown;

  /** `closing` is called before the descriptor is closed. */
  constructor(socket: Socket, clock: Clock, events: PtyEvents, closing: () => void) {
    this.socket = socket;
    this.clock = clock;
    socket.on("data", (bytes: Uint8Array) => {
      this.heard = true;
      events.data(bytes);
    });
    const destroy = socket.destroy.bind(socket);
    socket.destroy = (error?: Error) => {
      // An error is the kernel's "no more" (EIO); without one it is node-pty's timer after the exit.
      if (error !== undefined || socket.readableEnded || this.released) {
        this.handOutRest();
        closing();
        return destroy(error);
      }
      if (this.timer === undefined) this.tick();
      return socket;
    };
  }

  /** What was read ahead while paused would go with the socket. */
  private handOutRest(): void {
    if (this.released) return;
    this.released = true;
    while (this.socket.read() !== null);
  }

  pause(): void {
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.paused = false;
    this.socket.resume();
  }

  stop(): void {
    this.clock.cancel(this.timer);
    this.released = true;
  }

  /** After the exit: counts silence while nobody pauses us. */
  private tick(): void {
    this.heard = false;
    this.timer = this.clock.after(quietTickMs, () => {
      if (!this.paused) {
        this.quiet = this.heard ? 0 : this.quiet + 1;
        this.waitedMs += quietTickMs;
      }
      if (this.quiet < quietTicks && this.waitedMs < outliveMsMax) this.tick();
      else {
        this.handOutRest();
        this.socket.destroy();
      }
    });
  }
}

/** The program is the leader of its session, so its group has its id. A group that is gone is no error. */
function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
