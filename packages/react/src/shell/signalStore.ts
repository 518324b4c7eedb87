/**
 * What others said last of one signal of one stream, each for as long as it lives.
 *
 * Life cycle of an entry: heard → said again (lives on) → silent for `lifeMs` → gone. Invariants: the map that
 * is shown changes only when what it says changes; at most {@link speakersMax} are kept, the longest silent
 * goes first; letting go leaves no timer and no entry behind (F18).
 */
import type { Session } from "@holdfast/client";

const speakersMax = 1_000;

export interface SignalStore {
  /** Sender → data; the same map while nothing changed. */
  heard(): ReadonlyMap<string, unknown>;
  onChange(listener: () => void): () => void;
  /** Listens; returns how to let go. */
  attach(session: Pick<Session, "onSignal">): () => void;
}

interface Entry {
  readonly data: unknown;
  readonly text: string;
  readonly timer: ReturnType<typeof setTimeout>;
}

export function makeSignalStore(stream: string, signal: string, lifeMs: number): SignalStore {
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  let shown: ReadonlyMap<string, unknown> = new Map();

  const show = (): void => {
    shown = new Map([...entries].map(([from, { data }]) => [from, data]));
    for (const listener of listeners) listener();
  };

  const forget = (from: string): void => {
    clearTimeout(entries.get(from)?.timer);
    entries.delete(from);
  };

  const fade = (from: string): void => {
    forget(from);
    show();
  };

  return {
    heard: () => shown,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    attach(session) {
      const stop = session.onSignal((heard) => {
        if (heard.stream !== stream || heard.signal !== signal) return;
        const { from, data } = heard;
        const text = JSON.stringify(data) ?? "";
        const isNews = entries.get(from)?.text !== text;
        forget(from);
        entries.set(from, { data, text, timer: setTimeout(fade, lifeMs, from) });
        const [oldest] = entries.keys();
        if (entries.size > speakersMax && oldest !== undefined) forget(oldest);
        if (isNews) show();
      });
      return () => {
        stop();
        for (const from of [...entries.keys()]) forget(from);
        show();
      };
    },
  };
}
