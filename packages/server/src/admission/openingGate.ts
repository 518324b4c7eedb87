/**
 * How many openings a node has under way, and how many it begins in a second (AD-3).
 *
 * Life cycle of an opening here: asked → begun at once, or waiting (only with a due slot), or refused → begun when
 * there is a place → ended. Invariants: at most `underWayMax` begun and not ended; at most `perSecond` begun in any
 * second, wherever it starts; whoever waits with a due slot goes before a newcomer. It knows no sockets.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";

const windowMs = 1_000;

export interface GateLimits {
  readonly perSecond: number;
  readonly underWayMax: number;
  readonly waitingMax: number;
}

/** One opening at the gate. */
export interface GateTicket {
  /** Called once, at most: from `ask`, or later. */
  readonly begin: () => void;
}

export interface OpeningGate {
  /** `due`: whether it has a slot whose time has come. */
  ask(ticket: GateTicket, due: boolean): "begun" | "waiting" | "refused";
  /** It began and has ended, or waits no more. Idempotent. */
  end(ticket: GateTicket): void;
  /** Whether nobody else is let in, not even to wait. */
  readonly isFull: boolean;
  /** Openings that have begun or wait. */
  readonly size: number;
  stop(): void;
}

export function createOpeningGate(clock: Clock, limits: GateLimits): OpeningGate {
  const underWay = new Set<GateTicket>();
  /** In the order of coming. */
  const waiting = new Set<GateTicket>();
  const begun = createWindow(limits.perSecond);
  let timer: TimerHandle | undefined;

  const hasPlace = (): boolean => underWay.size < limits.underWayMax && begun.hasPlace(clock.monotonic());

  const begin = (ticket: GateTicket): void => {
    underWay.add(ticket);
    begun.add(clock.monotonic());
    ticket.begin();
  };

  const admitWaiting = (): void => {
    for (const ticket of waiting) {
      if (!hasPlace()) break;
      waiting.delete(ticket);
      begin(ticket);
    }
    arm();
  };

  /** Only the budget frees a place by time alone; all others come with an end. */
  const arm = (): void => {
    if (timer !== undefined || waiting.size === 0 || underWay.size >= limits.underWayMax) return;
    timer = clock.after(Math.max(0, Math.ceil(begun.nextAt(clock.monotonic()) - clock.monotonic())), () => {
      timer = undefined;
      admitWaiting();
    });
  };

  return {
    ask(ticket, due) {
      if (waiting.size === 0 && hasPlace()) {
        begin(ticket);
        return "begun";
      }
      if (!due || waiting.size >= limits.waitingMax) return "refused";
      waiting.add(ticket);
      arm();
      return "waiting";
    },
    end(ticket) {
      waiting.delete(ticket);
      if (underWay.delete(ticket)) admitWaiting();
    },
    get isFull() {
      return underWay.size >= limits.underWayMax && waiting.size >= limits.waitingMax;
    },
    get size() {
      return underWay.size + waiting.size;
    },
    stop() {
      if (timer !== undefined) clock.cancel(timer);
      timer = undefined;
      waiting.clear();
    },
  };
}

/** At most `max` in any window: the times of those that count, oldest first. */
function createWindow(max: number) {
  let times: number[] = [];
  let first = 0;
  const forget = (now: number): void => {
    while (first < times.length && (times[first] ?? now) <= now - windowMs) first += 1;
    if (first < times.length / 2) return;
    times = times.slice(first);
    first = 0;
  };
  return {
    hasPlace(now: number): boolean {
      forget(now);
      return times.length - first < max;
    },
    add: (now: number): void => void times.push(now),
    /** When there is a place. */
    nextAt: (now: number): number => {
      forget(now);
      return times.length - first < max ? now : (times[first] ?? now) + windowMs;
    },
  };
}
