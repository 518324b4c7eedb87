/**
 * One connection between a client and a node: two directions, and two ends that may know different things.
 *
 *   opening ─accepted─▶ open ─close frames, resets, deaths─▶ gone
 *
 * Each end hears of its end once. Which of them hears, and when, is what tells a reset from a half-open link. The
 * cause of the first end is kept for the judge, who must know whether anything rightly ended it.
 */
import { type ClientSocketEvents, closeCodes } from "@holdfast/protocol";
import type { ServerSocket, ServerSocketEvents } from "../../../packages/server/src/gateway/serverSocket.ts";
import type { Dice } from "../core/dice.ts";
import type { Process } from "../core/process.ts";
import type { Scheduler } from "../core/scheduler.ts";
import type { Trace } from "../core/trace.ts";
import { Direction } from "./direction.ts";
import { decodeFrame } from "./frames.ts";
import type { Cause, Path } from "./path.ts";
import type { ServerProcess } from "./serverProcess.ts";

export interface ConnectionParts {
  readonly number: number;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly client: Process;
  readonly path: Path;
  readonly dice: Dice;
  /** undefined: nobody listens. */
  readonly server: ServerProcess | undefined;
  readonly events: ClientSocketEvents & {
    /** The first end that anybody knows of. */
    readonly ended: (code: number, cause: Cause | undefined) => void;
  };
  readonly gone: () => void;
}

/** A refused connection is answered by the machine itself. */
const closeFrameBytes = 4;

export class Connection {
  readonly number: number;
  readonly client: Process;
  readonly path: Path;
  readonly server: ServerProcess | undefined;
  private readonly parts: ConnectionParts;
  private readonly up: Direction;
  private readonly down: Direction;
  private accepted: ServerSocketEvents | undefined;
  private isClientDone = false;
  private isServerDone = false;
  private isTold = false;
  private hasLeft = false;
  private isGreeted = false;
  /** The close that the server has sent, if any: what its own end reports. */
  private farewell: { readonly code: number; readonly reason: string } | undefined;

  constructor(parts: ConnectionParts) {
    const { scheduler, client, path, server, dice } = parts;
    this.parts = parts;
    this.number = parts.number;
    this.client = client;
    this.path = path;
    this.server = server;
    const receiver = server?.process ?? client;
    this.up = new Direction(scheduler, receiver, path.up, dice, () => {});
    this.down = new Direction(scheduler, client, path.down, dice, () => this.drained());
  }

  /** Whether the server has accepted it and both ends think that it lives. */
  get isOpen(): boolean {
    return this.accepted !== undefined && !this.isClientDone && !this.isServerDone;
  }

  /** Somebody knows already that it ends. */
  get isEnding(): boolean {
    return this.isTold;
  }

  /** The client's `hello` has reached the server. */
  get hasGreeted(): boolean {
    return this.isGreeted;
  }

  get isAlive(): boolean {
    return !this.isClientDone || !this.isServerDone;
  }

  get unsentBytes(): number {
    return this.down.unsentBytes;
  }

  open(): void {
    const { server, path, events, scheduler } = this.parts;
    // Nobody is there: there is no other side whose end could be waited for.
    this.isServerDone = path.isUnreachable || server === undefined;
    if (path.isUnreachable) return;
    if (server === undefined) {
      this.client.arrive(scheduler.now + 2 * path.up.latencyMs, () => this.clientHears(closeCodes.lost, "refused"));
      this.tell(closeCodes.lost, "network");
      return;
    }
    // The request and its answer, as two messages of some bytes.
    this.up.send(400, () => {
      if (this.isServerDone) return;
      const accepted = server.accept(this.socket(), path.name, this);
      if (accepted === undefined) {
        this.isServerDone = true;
        this.down.send(200, () => this.clientHears(closeCodes.lost, "refused"));
        this.tell(closeCodes.lost, "ended");
        return;
      }
      this.accepted = accepted;
      this.down.send(200, () => {
        if (!this.isClientDone) events.opened();
      });
    });
  }

  /** The client's face of it. */
  send(text: string): void {
    if (this.isClientDone) return;
    // CL-8: its program has closed it.
    if (text.includes('{"type":"leave"}')) this.hasLeft = true;
    const { afterPing } = this.path;
    if (afterPing !== undefined && text.includes('{"type":"ping"')) {
      this.path.afterPing = undefined;
      afterPing();
    }
    const bytes = Buffer.byteLength(text);
    this.up.send(bytes + 8, () => {
      if (this.isServerDone) return;
      this.parts.trace.note(this.path.name, this.server?.name ?? "", text);
      if (text.includes('{"type":"hello"')) this.isGreeted = true;
      this.accepted?.bytes(bytes + 8);
      this.accepted?.text(text, bytes);
    });
  }

  /** The client closes, and its program hears no more of it, but the machine still says so to the server. */
  close(code: number, reason: string): void {
    if (this.isClientDone) return;
    this.up.send(closeFrameBytes + reason.length, () => this.serverHears(code, reason, true));
    // With nobody at the other side, nobody answers.
    if (this.isServerDone) this.client.arrive(this.parts.scheduler.now, () => this.clientHears(code, reason));
    this.tell(code, this.silence("client") ?? (this.hasLeft ? "left" : undefined));
  }

  /** Ends it as the network does. `seenBy`: who learns of it, now rather than by silence. */
  cut(seenBy: "both" | "client" | "server" | "nobody"): void {
    const { scheduler, dice } = this.parts;
    this.tell(closeCodes.lost, "network");
    this.up.end();
    this.down.end();
    if (seenBy === "both" || seenBy === "client")
      this.client.arrive(scheduler.now + dice.integer(0, 50), () => this.clientHears(closeCodes.lost, "reset"));
    if (seenBy === "both" || seenBy === "server")
      this.server?.process.arrive(scheduler.now + dice.integer(0, 200), () =>
        this.serverHears(closeCodes.lost, "reset", false),
      );
  }

  /** One of its processes is gone: the other end learns of it, unless the whole machine went silent. */
  processEnded(which: "client" | "server", isSilent: boolean): void {
    const { scheduler, dice, path } = this.parts;
    this.tell(closeCodes.lost, "ended");
    if (which === "client") {
      this.isClientDone = true;
      this.up.end();
      this.down.end();
      if (!isSilent)
        this.server?.process.arrive(scheduler.now + path.up.latencyMs, () =>
          this.serverHears(closeCodes.lost, "gone", false),
        );
    } else {
      this.isServerDone = true;
      this.up.end();
      // What the kernel had taken may still arrive, or be thrown away by the reset.
      if (dice.chance(0.5)) this.down.end();
      const at = scheduler.now + path.down.latencyMs + dice.integer(0, 20);
      if (!isSilent) this.client.arrive(at, () => this.clientHears(closeCodes.lost, "gone"));
    }
    this.settle();
  }

  release(): void {
    this.up.release();
    this.down.release();
  }

  /** The client's machine reads nothing of it for a while: a stalled reader. */
  stall(isStalled: boolean): void {
    if (isStalled) this.down.pause();
    else this.down.resume();
  }

  private socket(): ServerSocket {
    const { down, up } = this;
    return {
      write: (frame) => {
        if (this.isServerDone || this.farewell !== undefined) return;
        down.send(frame.length, () => {
          if (this.isClientDone) return;
          const { text, hash } = decodeFrame(frame);
          this.parts.trace.noteHash(this.server?.name ?? "", this.path.name, hash, () => text);
          this.parts.events.received(text);
        });
      },
      get unsentBytes() {
        return down.unsentBytes;
      },
      close: (code, reason) => {
        if (this.isServerDone || this.farewell !== undefined) return;
        this.farewell = { code, reason };
        this.tell(code, causeOf(code) ?? this.silence("server"));
        down.send(closeFrameBytes + reason.length, () => {
          // The client's machine answers a close frame by itself.
          this.up.send(closeFrameBytes, () => this.serverHears(code, reason, false));
          this.clientHears(code, reason);
        });
      },
      terminate: () => {
        if (this.isServerDone) return;
        const { code, reason } = this.farewell ?? { code: closeCodes.lost, reason: "" };
        this.down.end();
        this.client.arrive(this.parts.scheduler.now + this.path.down.latencyMs, () => {
          if (!this.path.down.isShut) this.clientHears(closeCodes.lost, "reset");
        });
        this.server?.process.arrive(this.parts.scheduler.now, () => this.serverHears(code, reason, false));
      },
      pause: () => up.pause(),
      resume: () => up.resume(),
    };
  }

  private clientHears(code: number, reason: string): void {
    if (this.isClientDone) return;
    this.isClientDone = true;
    this.parts.trace.note(this.server?.name ?? "", this.path.name, `closed ${code}`);
    this.tell(code, causeOf(code));
    this.parts.events.closed(code, reason);
    this.settle();
  }

  private serverHears(code: number, reason: string, isAnswered: boolean): void {
    if (this.isServerDone) return;
    this.isServerDone = true;
    this.parts.trace.note(this.path.name, this.server?.name ?? "", `closed ${code}`);
    if (isAnswered) this.down.send(closeFrameBytes, () => this.clientHears(code, reason));
    else this.down.end();
    this.up.end();
    this.accepted?.closed(code, reason);
    this.settle();
  }

  private drained(): void {
    if (!this.isServerDone) this.server?.process.arrive(this.parts.scheduler.now, () => this.accepted?.drained());
  }

  private tell(code: number, cause: Cause | undefined): void {
    if (this.isTold) return;
    this.isTold = true;
    this.parts.events.ended(code, cause);
  }

  /**
   * Whether somebody's silence explains an end that nobody else caused. Whoever ends it must not take its own sleep,
   * or timers that a browser slows down, for the other's death (LV-2, LV-3).
   */
  private silence(endedBy: "client" | "server"): Cause | undefined {
    const { scheduler, path } = this.parts;
    const { up, down } = path;
    const other = endedBy === "client" ? this.server?.process : this.client;
    const recently = Math.max(path.shutAt, other?.stoppedAt ?? 0);
    if (up.isShut || down.isShut) return "silence";
    if (up.bytesPerMs < 20 || down.bytesPerMs < 20 || up.latencyMs > 1_000) return "silence";
    return scheduler.now - recently < 180_000 ? "silence" : undefined;
  }

  private settle(): void {
    if (this.isClientDone && this.isServerDone) this.parts.gone();
  }
}

/** What a code of the server's says of why; undefined where it says nothing that would excuse it. */
function causeOf(code: number): Cause | undefined {
  switch (code) {
    case closeCodes.restart:
      return "drain";
    case closeCodes.unauthenticated:
    case closeCodes.forbidden:
    case closeCodes.identityChanged:
      return "authority";
    case closeCodes.badMessage:
    case closeCodes.tooBig:
    case closeCodes.unsupportedData:
      return "breach";
    case closeCodes.fenced:
      return "fenced";
    default:
      return undefined;
  }
}
