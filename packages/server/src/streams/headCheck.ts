/**
 * The bus is a hint: once a second a node compares the heads of the streams that it serves with the store's,
 * in one query (ST-14), and at once those that another node says have grown. A gap is repaired once per node,
 * whoever reads.
 *
 * The same look finds a history that was lost under its readers (ST-15): a failed-over database cuts no client's
 * socket, and who stands beyond its head would else miss what comes until that is passed.
 *
 * It asks for streams that somebody reads, and not at all where there is none; a store that does not answer
 * is asked again a second later, and is nobody's trouble here. Invariant: one query is under way at a time;
 * what is suspected meanwhile is asked for together, right after it.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Store, StreamPosition } from "../store/port.ts";
import type { Channel } from "./channel.ts";

const everyMs = 1_000;

export interface HeadCheck {
  /** These may have grown. */
  suspect(channels: Iterable<Channel>): void;
  stop(): void;
}

export function startHeadCheck(
  store: Pick<Store, "positions">,
  clock: Clock,
  channels: () => Iterable<Channel>,
  behind: (channel: Channel, position: StreamPosition) => void,
  rolledBack: (channel: Channel) => void,
): HeadCheck {
  let timer: TimerHandle | undefined;
  let stopped = false;
  let looking = false;
  const suspected = new Set<Channel>();

  const look = async (asked: Iterable<Channel>): Promise<void> => {
    const served = [...asked].filter((channel) => channel.readers.size > 0 && channel.epoch !== undefined);
    if (served.length === 0) return;
    const names = served.map(({ workspace, stream }) => ({ workspace, stream }));
    const heads = served.map(({ head }) => head);
    const positions = await store.positions(names).catch(() => []);
    positions.forEach((position, index) => {
      const channel = served[index];
      if (position === null || channel === undefined) return;
      // ST-15: less than was known before the question shows a store that was rolled back.
      const isRolledBack = position.epoch !== channel.epoch || position.head < (heads[index] ?? 0);
      if (isRolledBack) rolledBack(channel);
      else if (position.head > channel.head) behind(channel, position);
    });
  };

  const lookAtSuspected = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    while (suspected.size > 0 && !stopped) {
      const asked = [...suspected];
      suspected.clear();
      await look(asked);
    }
    looking = false;
  };

  const arm = (): void => {
    if (!stopped)
      timer = clock.after(everyMs, () => {
        for (const channel of channels()) suspected.add(channel);
        void lookAtSuspected().then(arm);
      });
  };

  arm();
  return {
    suspect(grown) {
      for (const channel of grown) suspected.add(channel);
      void lookAtSuspected();
    },
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
    },
  };
}
