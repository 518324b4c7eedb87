/** What the main thread and the store's two workers say to each other. */
import type { Principal } from "../../plugin.ts";
import type { Operation, StreamName } from "../port.ts";
import type { PortableError } from "./portableError.ts";

export interface WorkerSettings {
  readonly folder: string;
  /** Modules that export `plugin`. */
  readonly plugins: readonly string[];
  /** The writer locks the folder and migrates; the reader opens what is there. */
  readonly role: "writer" | "reader";
  /** It loads what it needs, and opens the store only when it is told so. */
  readonly waits?: boolean;
}

/** To a worker that waits: its store may be opened now. */
export interface OpenMessage {
  readonly kind: "open";
}

export type Call =
  | { readonly name: "commit"; readonly batch: readonly Operation[] }
  | { readonly name: "position"; readonly workspace: string; readonly stream: string }
  | { readonly name: "positions"; readonly streams: readonly StreamName[] }
  | { readonly name: "snapshot"; readonly workspace: string; readonly stream: string }
  | {
      readonly name: "read";
      readonly workspace: string;
      readonly stream: string;
      readonly offset: number;
      readonly eventsMax: number;
      readonly rollUp: boolean;
      readonly bytesMax: number;
    }
  | { readonly name: "query"; readonly caller: Principal; readonly method: string; readonly params: unknown }
  | { readonly name: "close" };

export interface CallMessage {
  readonly id: number;
  readonly call: Call;
}

/** `ready` is the first message of a worker that opened its store; `failed` the only one of one that did not. */
export type WorkerMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly error: PortableError }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: PortableError };
