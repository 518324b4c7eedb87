/**
 * One socket without a shared worker: the tab that holds a lock leads, and is the host of all (OP-2).
 *
 *   following ─lock granted─▶ leading ─lock taken over─▶ following
 *
 * Each tab waits for the lock; whoever gets it announces itself on a channel, and every tab joins it over a
 * channel of its own. The browser hands the lock on when a leader dies. One that is stopped (frozen, asleep, at
 * a breakpoint) keeps it: who has no answer to a probe for `leaderSilenceMsMax` takes the lock over, and the
 * former leader is told of that when it wakes, and closes its socket.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import { limits } from "@holdfast/protocol";
import type { Host } from "./host.ts";
import type { FromTab, ToTab } from "./messages.ts";
import type { Locks, Port } from "./port.ts";
import type { Link } from "./tabSession.ts";

/** A leader that says nothing for so long, although asked, does not lead. */
export const leaderSilenceMsMax = 10_000;
const probeApartMs = 5_000;

/** On the channel that all tabs hear. `port`: the name of the channel that tab and leader share; `seated`: both hear it. */
export type Announcement =
  | { readonly kind: "leading"; readonly leader: string }
  | { readonly kind: "joining"; readonly leader: string | undefined; readonly port: string }
  | { readonly kind: "seated"; readonly port: string };

export interface LeadingOptions {
  /** Names this tab among all. */
  readonly tab: string;
  readonly locks: Locks;
  readonly clock: Clock;
  /** The channel that all tabs hear. */
  readonly commons: Port<Announcement, Announcement>;
  /** Both ends of a channel have the same name. */
  readonly openPort: <In, Out>(name: string) => Port<In, Out>;
  readonly makePair: () => { readonly tab: Port<ToTab, FromTab>; readonly host: Port<FromTab, ToTab> };
  readonly makeHost: () => Host;
}

export function leadingLink(options: LeadingOptions): Link {
  const { tab: name, locks, clock, commons, openPort, makePair, makeHost } = options;
  let host: Host | undefined;
  let release = (): void => {};
  let ports = 0;
  /** Joins a leader that has not answered yet. */
  let joining: { readonly name: string; readonly port: Port<ToTab, FromTab> } | undefined;
  let probe: TimerHandle | undefined;
  let heardMs = 0;
  let dueMs = 0;
  let stopped = false;
  let face: Parameters<Link["start"]>[0] | undefined;

  function lead(): void {
    const led = makeHost();
    host = led;
    clock.cancel(probe);
    joining?.port.close();
    joining = undefined;
    const pair = makePair();
    led.accept(pair.host);
    face?.attach(pair.tab);
    commons.post([{ kind: "leading", leader: name }]);
  }

  function follow(steals: boolean): void {
    release = locks.acquire("leader", lead, { steals, lost: deposed });
  }

  /** Somebody took over while we did not run: the socket is theirs to have. */
  function deposed(): void {
    void host?.stop();
    host = undefined;
    if (stopped) return;
    face?.detach();
    follow(false);
    ask(undefined);
  }

  /** Joins `leader`, or whoever leads now. */
  function ask(leader: string | undefined): void {
    ports += 1;
    const port = `${name}/${ports}`;
    joining?.port.close();
    joining = { name: port, port: openPort<ToTab, FromTab>(port) };
    commons.post([{ kind: "joining", leader, port }]);
    heardMs = clock.monotonic();
    watch();
  }

  function watch(): void {
    clock.cancel(probe);
    dueMs = clock.monotonic() + probeApartMs;
    probe = clock.after(probeApartMs, look);
  }

  function look(): void {
    const now = clock.monotonic();
    // LV-3: found late, it was we who slept; its answer may be queued already.
    if (now - dueMs > limits.lateTimerMs) heardMs = Math.max(heardMs, now - leaderSilenceMsMax + probeApartMs);
    if (now - heardMs >= leaderSilenceMsMax) {
      release();
      follow(true);
      return;
    }
    face?.probe();
    watch();
  }

  function hear(announcement: Announcement): void {
    if (announcement.kind === "leading") {
      if (host === undefined) ask(announcement.leader);
    } else if (announcement.kind === "seated") {
      if (announcement.port !== joining?.name) return;
      const { port } = joining;
      joining = undefined;
      face?.attach(port);
    } else if (host !== undefined && (announcement.leader ?? name) === name) {
      host.accept(openPort<FromTab, ToTab>(announcement.port));
      commons.post([{ kind: "seated", port: announcement.port }]);
    }
  }

  return {
    start(tab) {
      face = tab;
      commons.listen((batch) => {
        for (const announcement of batch) hear(announcement);
      });
      follow(false);
      if (host === undefined) ask(undefined);
    },
    joined() {
      heardMs = clock.monotonic();
    },
    refused() {},
    probed() {
      heardMs = clock.monotonic();
    },
    async stop() {
      stopped = true;
      clock.cancel(probe);
      joining?.port.close();
      // The socket is closed before the next tab may open one.
      await host?.stop();
      release();
      commons.close();
    },
  };
}
