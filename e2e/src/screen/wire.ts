/**
 * Somebody who reads the conversation from the socket alone: when each message was written, and when it came over the wire.
 *
 * `at` is what the server stamped when the transaction began that wrote it (ST-4), so all lags of this proof begin before
 * the commit and hold it whole. No page is between, so what a page adds can be told from what was late before it.
 */
import { openPlainClient } from "../plainClient.ts";

/** By mark: `q17` is the question `m17`, `r17` the reply to it. */
export interface Written {
  /** Server's clock, ms. */
  readonly at: ReadonlyMap<string, number>;
  /** Ours, the same machine's. */
  readonly heard: ReadonlyMap<string, number>;
  /** Commands that have ended. */
  readonly ended: ReadonlySet<string>;
  close(): Promise<void>;
}

interface WireEvent {
  readonly event: string;
  readonly at: number;
  readonly data: { readonly text?: string; readonly command?: string };
}

const pingEachMs = 10_000;

export async function readWire(url: string, thread: string): Promise<Written> {
  const [at, heard, ended] = [new Map<string, number>(), new Map<string, number>(), new Set<string>()];
  const client = await openPlainClient(url, {
    heard: (message) => {
      if (message.type !== "events") return;
      const now = Date.now();
      for (const { event, at: written, data } of message["events"] as readonly WireEvent[]) {
        if (event === "command.finished") ended.add(data.command ?? "");
        const number = /\bm(\d+)\b/.exec(data.text ?? "")?.[1];
        const kind = { "command.queued": "q", "text.delta": "r" }[event];
        if (number === undefined || kind === undefined || at.has(`${kind}${number}`)) continue;
        at.set(`${kind}${number}`, written);
        heard.set(`${kind}${number}`, now);
      }
    },
  });
  await client.read(`thread/${thread}`);
  let pings = 0;
  // LV-2: who only reads says all the same that it is there.
  const timer = setInterval(() => {
    pings += 1;
    client.send({ type: "ping", n: pings, visible: true });
  }, pingEachMs);
  return {
    at,
    heard,
    ended,
    close: async () => {
      clearInterval(timer);
      await client.close();
    },
  };
}
