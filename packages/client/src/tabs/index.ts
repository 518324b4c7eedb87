/**
 * One socket for all tabs of a browser (OP-2): `createSession({ …, share: tabs({ name, worker }) })`.
 *
 * With `worker` the socket lives in a shared worker whose script calls `serveTabs`; without one, or where the
 * browser has none, in the tab that leads. Tabs of another address, program or version never meet, since all of
 * that is in the name that they share. Outside a secure context a browser has no locks: there, and in Node, each
 * session has a socket of its own.
 */
import { uuidv7 } from "@holdfast/protocol";
import type { Session, SessionOptions, Sharing } from "../api.ts";
import { openSession } from "../createSession.ts";
import { pageUrl, watchBrowser } from "../shell/hints.ts";
import { platformClock, platformRandom } from "../shell/platform.ts";
import { canShare, channelPort, messagePort, webLocks } from "./browserShell.ts";
import { makeHost } from "./host.ts";
import { leadingLink } from "./leading.ts";
import { memoryPair } from "./memoryPair.ts";
import { type FromTab, type ToTab, tabsVersion, type Wanted } from "./messages.ts";
import { makeTabSession } from "./tabSession.ts";
import { workingLink } from "./working.ts";

export interface TabsOptions {
  /** Who shares: the same for all tabs of one person. Tabs of different names never share a socket. */
  readonly name: string;
  /** Makes the shared worker, with this name: its script calls `serveTabs` of `@holdfast/client/tabs/worker`. */
  readonly worker?: (name: string) => SharedWorker;
}

export function tabs({ name, worker }: TabsOptions): Sharing {
  return {
    open(options) {
      return canShare() ? openInTab(options, name, worker) : openSession(options).session;
    },
  };
}

function openInTab(options: SessionOptions, name: string, worker: TabsOptions["worker"]): Session {
  const { clock = platformClock, random = platformRandom, url = pageUrl() } = options;
  const wanted: Wanted = {
    version: tabsVersion,
    url: typeof url === "string" ? url : url(),
    clientName: options.clientName,
    clientVersion: options.clientVersion ?? "0",
    usesToken: options.getToken !== undefined,
  };
  const shared = sharedName(wanted, name);
  const locks = webLocks(shared);
  const tab = uuidv7(clock.now(), random.bytes(10));
  const leading = () =>
    leadingLink({
      tab,
      locks,
      clock,
      commons: channelPort(shared),
      openPort: (port) => channelPort(`${shared} ${port}`),
      makePair: memoryPair<ToTab, FromTab>,
      makeHost: () =>
        makeHost({
          open: ({ onIdentityChanged, ...lent }, from) =>
            openSession({ ...options, ...lent, ...(onIdentityChanged && { onIdentityChanged }) }, from),
          lock: `tab ${tab}`,
          locks,
          clock,
        }),
    });
  const link =
    worker === undefined || typeof SharedWorker === "undefined"
      ? leading()
      : workingLink({ locks, clock, connect: (failed) => connect(worker, shared, failed), instead: leading });
  return makeTabSession({ options, wanted, tab, locks, link, clock, random, watch: watchBrowser, report });
}

function connect(worker: NonNullable<TabsOptions["worker"]>, name: string, failed: () => void) {
  const started = worker(name);
  started.onerror = failed;
  return messagePort<ToTab, FromTab>(started.port);
}

/** Everything in which tabs that share must agree. */
function sharedName(wanted: Wanted, name: string): string {
  return JSON.stringify(["holdfast", ...Object.values(wanted), name]);
}

/** A callback's fault is the program's: it surfaces as an uncaught error. */
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
