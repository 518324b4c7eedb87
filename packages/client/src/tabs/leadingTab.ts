/**
 * What a tab needs to have the socket itself: the host with the whole core, and the way to lead.
 *
 * Loaded only where no shared worker has the socket, so that a page with one pays for none of it.
 */
import type { Clock } from "@holdfast/protocol";
import { type DurableSessionOptions, openDurableSession } from "../durable/durableSession.ts";
import { channelPort } from "./browserShell.ts";
import { makeHost } from "./host.ts";
import { type Announcement, leadingLink } from "./leading.ts";
import { memoryPair } from "./memoryPair.ts";
import type { FromTab, ToTab } from "./messages.ts";
import type { Locks, Port } from "./port.ts";
import type { Link } from "./tabSession.ts";

export interface LeadingTabOptions {
  readonly options: DurableSessionOptions;
  readonly tab: string;
  readonly locks: Locks;
  readonly clock: Clock;
  /** What the tabs share is called so; undefined where there is nobody to share with. */
  readonly shared: string | undefined;
}

export function leadingTab({ options, tab, locks, clock, shared }: LeadingTabOptions): Link {
  return leadingLink({
    tab,
    locks,
    clock,
    commons: shared === undefined ? nobody : channelPort<Announcement, Announcement>(shared),
    openPort: (port) => (shared === undefined ? nobody : channelPort(`${shared} ${port}`)),
    makePair: memoryPair<ToTab, FromTab>,
    makeHost: () =>
      makeHost({
        open: (lent, from) => openDurableSession({ ...options, ...lent }, from),
        lock: `tab ${tab}`,
        locks,
        clock,
      }),
  });
}

const nobody: Port<never, unknown> = { post() {}, listen() {}, close() {} };
