/**
 * One socket for all tabs of a browser (OP-2): `createSharedSession({ clientName, name, worker })`.
 *
 * With `worker` the socket lives in a shared worker whose script calls `serveTabs`; without one, or where the
 * browser has none, in the tab that leads, whose code is loaded then. Tabs of another address, program or version
 * never meet, since all of that is in the name that they share. Outside a secure context a browser has no locks:
 * there, and in Node, each session has a socket of its own.
 */
import { makeId } from "@holdfast/protocol";
import type { MethodMap } from "../api.ts";
import type { DurableSession, DurableSessionOptions } from "../durable/durableSession.ts";
import { pageUrl, watchBrowser } from "../shell/hints.ts";
import { platformClock, platformRandom } from "../shell/platform.ts";
import { canShare, messagePort, webLocks } from "./browserShell.ts";
import { lazyLink } from "./lazyLink.ts";
import { memoryLocks } from "./memoryLocks.ts";
import { type FromTab, type ToTab, tabsVersion, type Wanted } from "./messages.ts";
import { type Link, makeTabSession } from "./tabSession.ts";
import { workingLink } from "./working.ts";

export type * from "../api.ts";
export type { DurableSession, SavedRequest } from "../durable/index.ts";

export interface SharedSessionOptions extends DurableSessionOptions {
  /** Who shares: the same for all tabs of one person. Tabs of different names never share a socket. By default `clientName`. */
  readonly name?: string;
  /** Each tab has a socket of its own, as in a browser without locks. By default all share one. */
  readonly alone?: boolean;
  /** Makes the shared worker, with this name: its script calls `serveTabs` of `@holdfast/client/tabs/worker`. */
  readonly worker?: (name: string) => SharedWorker;
}

/** Opens a session over the socket of all tabs, and starts it. It lives until `close()`, or with its tab. */
export function createSharedSession<Methods extends MethodMap = MethodMap>(
  options: SharedSessionOptions,
): DurableSession<Methods> {
  const { clock = platformClock, random = platformRandom, url = pageUrl(), clientName, worker } = options;
  const wanted: Wanted = {
    version: tabsVersion,
    url: typeof url === "string" ? url : url(),
    clientName,
    clientVersion: options.clientVersion ?? "0",
    usesToken: options.getToken !== undefined,
  };
  // Everything in which tabs that share must agree.
  const shared =
    !options.alone && canShare()
      ? JSON.stringify(["holdfast", ...Object.values(wanted), options.name ?? clientName])
      : undefined;
  const locks = shared === undefined ? memoryLocks() : webLocks(shared);
  const tab = makeId(clock.now(), random);
  const leading = (): Link =>
    lazyLink(clock, async () => {
      const { leadingTab } = await import("./leadingTab.ts");
      return leadingTab({ options, tab, locks, clock, shared });
    });
  const link =
    worker === undefined || shared === undefined || typeof SharedWorker === "undefined"
      ? leading()
      : workingLink({ locks, clock, connect: (failed) => connect(worker, shared, failed), instead: leading });
  const session = makeTabSession({ options, wanted, tab, locks, link, clock, random, watch: watchBrowser });
  return session as DurableSession<Methods>;
}

function connect(worker: NonNullable<SharedSessionOptions["worker"]>, name: string, failed: () => void) {
  const started = worker(name);
  started.onerror = failed;
  return messagePort<ToTab, FromTab>(started.port);
}
