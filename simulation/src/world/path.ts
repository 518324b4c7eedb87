/** A machine's way to the servers, and the words for why a connection over it ended. Data; who changes it is the plan. */
import type { Quality } from "./direction.ts";

/** Who may be told of a connection's end, and why (the judge's words). */
export type Cause =
  | "network"
  | "ended"
  | "drain"
  | "authority"
  | "silence"
  | "left"
  | "breach"
  | "fenced"
  | "admission";

export interface Path {
  readonly name: string;
  readonly up: Quality;
  readonly down: Quality;
  /** New connections get no answer. */
  isUnreachable: boolean;
  /** What is to happen right after the next ping of its client left, once. */
  afterPing: (() => void) | undefined;
  /** When it last swallowed anything: silence within two heartbeats after that is the network's. */
  shutAt: number;
}
