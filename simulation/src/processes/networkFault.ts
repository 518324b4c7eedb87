/** What a network can do to the connections of one program, as data. */

/** Which way bytes go: `up` to the server, `down` to the client. */
export type Way = "up" | "down" | "both";

export type NetworkFault =
  /** Each piece arrives `ms` later, and up to `jitterMs` more; never before the one before. */
  | { readonly kind: "latency"; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: "rate"; readonly bytesPerSecond: number }
  /** Each piece is cut into ones of at most so many bytes, each sent alone. */
  | { readonly kind: "slice"; readonly bytesMax: number }
  /** Bytes are held, and come when it is healed: a cable that was out for a while. */
  | { readonly kind: "stall"; readonly way: Way }
  /** Bytes vanish: half-open one way, or dead both ways. */
  | { readonly kind: "blackHole"; readonly way: Way }
  /** The connections that are there end with a reset; new ones are taken. */
  | { readonly kind: "reset" }
  /** One side is told that the other has nothing more to say. */
  | { readonly kind: "halfClose"; readonly side: "client" | "server" }
  /** All connections end, and new ones are refused. */
  | { readonly kind: "refuse" };
