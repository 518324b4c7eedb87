/** What the conductor may ask of a peer's server process. */
import type { Usage } from "../processes/usage.ts";

export type ServerFace = {
  /**
   * Starts listening on a free port of loopback. `folder`: where it may store. `watchSockets`: for
   * {@link ServerFace.stalledSockets}; costs memory. `pid`: of the process that is measured.
   */
  start(argument: {
    readonly folder: string;
    readonly watchSockets: boolean;
  }): Promise<{ readonly url: string; readonly version: string; readonly pid: number }>;
  usage(argument: { readonly collect: boolean }): Usage;
  /** How many of its sockets have over 256 KiB that the network has not taken; -1 where nobody watched. */
  stalledSockets(argument: null): number;
};
