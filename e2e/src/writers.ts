/**
 * Other people of an example: clients that write all the time, whatever happens to the server or to a page.
 *
 * Each is a session of its own, straight to the server, and keeps what it was told to be done. Life cycle:
 * writing ⇄ paused (what is under way is answered first) → closed. It deliberately gives no order to the
 * others: what they see of each other is the server's order.
 */
import { createSession, type Session } from "@holdfast/client";
import { pause } from "./waiting.ts";

const betweenMsMin = 100;
const betweenMsMax = 250;
const pausedLookMs = 100;

export interface Writers {
  /** Texts whose request was answered with a result, in no order. */
  readonly done: readonly string[];
  /** Requests that were answered with an error. */
  readonly refused: readonly unknown[];
  /** Resolves when nothing of them is under way. */
  pause(): Promise<void>;
  resume(): void;
  close(): Promise<void>;
}

/** One act of a writer: does it and gives what stands in the log afterwards, once. */
export type Act = (session: Session, text: string, random: () => number) => Promise<void>;

export interface WritersOptions {
  readonly names: readonly string[];
  /** The server's, http. */
  readonly url: string;
  /** Whether each says its name as its token. */
  readonly signsIn: boolean;
  readonly act: Act;
  readonly random: () => number;
  /** So many times the usual pause between two acts of one writer, 0.1 to 0.25 s; 1 where absent. */
  readonly slower?: number;
}

export function startWriters({ names, url, signsIn, act, random, slower = 1 }: WritersOptions): Writers {
  const done: string[] = [];
  const refused: unknown[] = [];
  let state: "writing" | "paused" | "closed" = "writing";
  const write = async (name: string): Promise<void> => {
    const session = createSession({
      url: `${url.replace(/^http/, "ws")}/ws`,
      clientName: "writer",
      ...(signsIn ? { getToken: async () => name } : {}),
    });
    try {
      for (let count = 1; state !== "closed"; count += 1) {
        while (state === "paused") await pause(pausedLookMs);
        const text = `${name} ${count}`;
        underWay += 1;
        try {
          await act(session, text, random);
          done.push(text);
        } catch (error) {
          refused.push(error);
        } finally {
          underWay -= 1;
        }
        await pause(slower * (betweenMsMin + random() * (betweenMsMax - betweenMsMin)));
      }
    } finally {
      await session.close();
    }
  };
  let underWay = 0;
  const all = Promise.all(names.map(write));
  return {
    done,
    refused,
    async pause() {
      state = "paused";
      while (underWay > 0) await pause(pausedLookMs);
    },
    resume() {
      state = "writing";
    },
    async close() {
      state = "closed";
      await all;
    },
  };
}
