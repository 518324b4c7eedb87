/**
 * The other half of `tabs`: the script of the shared worker says `serveTabs(self)` and nothing else.
 *
 * Its life is the browser's affair: it begins with the first tab and ends with the last, or is killed. The lock
 * that it holds tells the tabs; only once it has it does it take anybody in.
 */
import { makeId } from "@holdfast/protocol";
import { openDurableSession } from "../durable/durableSession.ts";
import { platformClock, platformRandom } from "../shell/platform.ts";
import type { SessionStorage } from "../storage/port.ts";
import { messagePort, webLocks } from "./browserShell.ts";
import { makeHost } from "./host.ts";
import type { FromTab, ToTab } from "./messages.ts";

/** What of a `SharedWorkerGlobalScope` is needed. */
export interface WorkerScope {
  readonly name: string;
  onconnect: ((event: MessageEvent) => void) | null;
}

export interface ServeOptions {
  /** Keeps durable requests across reloads; `name` is the one that `tabs` was given. */
  readonly storage?: (name: string) => SessionStorage;
}

export function serveTabs(scope: WorkerScope, { storage }: ServeOptions = {}): void {
  const locks = webLocks(scope.name);
  const lock = `host ${makeId(platformClock.now(), platformRandom)}`;
  // The last part of what the tabs agree on is the name that the app gave.
  const kept = storage?.(String((JSON.parse(scope.name) as unknown[]).at(-1)));
  const host = makeHost({
    open: (options, lent) => openDurableSession({ ...options, ...(kept && { storage: kept }) }, lent),
    lock,
    locks,
    clock: platformClock,
  });
  let early: MessagePort[] | undefined = [];
  scope.onconnect = ({ ports: [port] }) => {
    if (port === undefined) return;
    if (early === undefined) host.accept(messagePort<FromTab, ToTab>(port));
    else early.push(port);
  };
  locks.acquire(lock, () => {
    const waiting = early ?? [];
    early = undefined;
    for (const port of waiting) host.accept(messagePort<FromTab, ToTab>(port));
  });
}
