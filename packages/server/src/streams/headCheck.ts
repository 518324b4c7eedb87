/**
 * The bus is a hint: once a second a node compares the heads of the streams that it serves with the store's,
 * in one query (ST-14). A gap is repaired once per node, whoever reads.
 *
 * It asks for streams that somebody reads, and not at all where there is none; a store that does not answer
 * is asked again a second later, and is nobody's trouble here.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Store, StreamPosition } from "../store/port.ts";
import type { Channel } from "./channel.ts";

const everyMs = 1_000;

export interface HeadCheck {
  stop(): void;
}

export function startHeadCheck(
  store: Pick<Store, "positions">,
  clock: Clock,
  channels: () => Iterable<Channel>,
  behind: (channel: Channel, position: StreamPosition) => void,
): HeadCheck {
  let timer: TimerHandle | undefined;
  let stopped = false;

  const look = async (): Promise<void> => {
    const served = [...channels()].filter((channel) => channel.readers.size > 0 && channel.epoch !== undefined);
    if (served.length > 0) {
      const names = served.map(({ workspace, stream }) => ({ workspace, stream }));
      const positions = await store.positions(names).catch(() => []);
      positions.forEach((position, index) => {
        const channel = served[index];
        if (position === null || channel === undefined) return;
        if (position.head > channel.head || position.epoch !== channel.epoch) behind(channel, position);
      });
    }
    arm();
  };
  const arm = (): void => {
    if (!stopped) timer = clock.after(everyMs, () => void look());
  };

  arm();
  return {
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
    },
  };
}
