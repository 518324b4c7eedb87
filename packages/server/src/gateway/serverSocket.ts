/**
 * One socket of a connection, as the gateway sees it: a port, so that the simulation can be the network.
 */

import type { Clock } from "@holdfast/protocol";
import type { Weather } from "./weather.ts";

export interface ServerSocket {
  /** Writes one encoded frame. Never throws; after the end it does nothing. */
  write(frame: Uint8Array): void;
  /** Bytes written and not yet taken by the network. */
  readonly unsentBytes: number;
  /** Sends the close frame; `reason` at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Ends TCP at once. */
  terminate(): void;
  /** Stops and resumes reading (AD-5). */
  pause(): void;
  resume(): void;
  /** Bad weather, for who wants to see what becomes of it; a socket of another kind has none. */
  disturb?(weather: Weather, clock: Clock): void;
}

export interface ServerSocketEvents {
  /** So many bytes arrived, whether or not they make a whole frame yet. */
  bytes(count: number): void;
  /** A text frame. */
  text(frame: string, bytes: number): void;
  /** A binary frame, which nobody may send (TR-4). */
  binary(): void;
  /** The unsent bytes are gone. */
  drained(): void;
  /** Exactly once, last. */
  closed(code: number, reason: string): void;
}
