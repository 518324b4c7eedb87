/**
 * A way to a host whose code is loaded when it is needed.
 *
 * What cannot be loaded (the network is away, a new version is being rolled out) is asked for again; until then the
 * tab says that it is looking for a host.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Link } from "./tabSession.ts";

/** From a failed loading to the next. */
const loadAgainMs = 5_000;

export function lazyLink(clock: Clock, load: () => Promise<Link>): Link {
  let link: Link | undefined;
  let timer: TimerHandle;
  let isStopped = false;

  function start(tab: Parameters<Link["start"]>[0]): void {
    load().then(
      (loaded) => {
        if (isStopped) return;
        link = loaded;
        link.start(tab);
      },
      () => {
        if (!isStopped) timer = clock.after(loadAgainMs, () => start(tab));
      },
    );
  }

  return {
    start,
    joined: (lock) => link?.joined(lock),
    refused: () => link?.refused(),
    probed: () => link?.probed(),
    async stop() {
      isStopped = true;
      clock.cancel(timer);
      await link?.stop();
    },
  };
}
