/**
 * What `createServer` takes, and what it gives back. All numbers are settings with defaults in
 * `limits.ts` of `protocol` or in the room that uses them.
 */
import type { Clock, Random } from "@holdfast/protocol";
import type { Log } from "./observe/log.ts";

export type Mode = "local" | "development";

export interface ServerOptions {
  /** The app: a module that exports `plugin` (see `plugin.ts`), as a URL, since the store's worker imports it too. */
  readonly app: URL;
  readonly mode: Mode;
  /** Loopback only, until TLS is there. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Folder of the embedded store. Created with mode 0700 where missing; locked while in use. */
  readonly data: string;
  /** Origins besides the own one that may open sockets and call methods (AU-5). */
  readonly origins: readonly string[];
  /** Folder of the built page; none serves none. */
  readonly page?: string;
  readonly version: string;
  readonly log: Log;
  /** For tests and the simulation; the platform's by default. */
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface Server {
  /** `http://127.0.0.1:4400`, with the port that was really taken. */
  readonly url: string;
  /** Makes a single-use sign-in code of 10 minutes for the owner of this machine. */
  signInCode(): Promise<string>;
  /** An API key for an agent of this machine: may enrol one agent (OP-6). */
  agentKey(name: string): Promise<string>;
  /** A new API key of the owner for this machine's command line; ends the one before. */
  operatorKey(): Promise<string>;
  /** CL-9: no more upgrades, `bye` 1012 to all, finish what was accepted, close the store. Idempotent. */
  close(): Promise<void>;
}

/** Why a server could not start: one sentence that names the value and what to do. The CLI exits 2 with it. */
export class StartError extends Error {
  override readonly name = "StartError";
}
