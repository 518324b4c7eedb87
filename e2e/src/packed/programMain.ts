/**
 * A program of somebody else: reads, asks and publishes, goes on while its link is cut, and tells what it has seen.
 *
 * Parameters: the server's address and a file for its storage. On standard output it says `connected`, then `lost`
 * once all of its sessions know that the link is gone, then one line of JSON. It ends by itself: whatever a closed
 * session left behind would keep it alive.
 */
import { createSession, type Session } from "@holdfast/client";
import { createDurableSession } from "@holdfast/client/durable";
import { createPublisherSession } from "@holdfast/client/publisher";
import { fileStorage } from "@holdfast/client/storage/file";
import type { Methods } from "./app.ts";

/** What it tells at the end. */
export interface Seen {
  readonly notes: readonly unknown[];
  readonly log: readonly unknown[];
  readonly answers: readonly string[];
  readonly rejected: number;
  readonly reconnects: number;
}

const [, , url = "", file = ""] = process.argv;
const common = { url, clientName: "packed", getToken: async () => "ada" };
const plain = createSession<Methods>(common);
const durable = createDurableSession<Methods>({ ...common, storage: fileStorage(file) });
const publisher = createPublisherSession({ ...common, getToken: async () => "pia" });
const sessions: readonly Pick<Session, "state" | "onChange" | "statistics" | "close">[] = [plain, durable, publisher];
const notes: unknown[] = [];
const log: unknown[] = [];
let noteCame = (): void => {};

function until(isSo: () => boolean, listen: (look: () => void) => () => void): Promise<void> {
  return new Promise((done) => {
    let stop = (): void => {};
    const look = (): void => {
      if (!isSo()) return;
      stop();
      done();
    };
    stop = listen(look);
    look();
  });
}

const all = (isLive: boolean): Promise<unknown> =>
  Promise.all(
    sessions.map((one) =>
      until(
        () => (one.state.kind === "live") === isLive,
        (look) => one.onChange(look),
      ),
    ),
  );

function read(stream: string, into: unknown[]): void {
  plain.subscribe(stream, {
    from: "start",
    onEvents(events) {
      for (const { data } of events) into.push((data as { text: unknown }).text);
      noteCame();
    },
  });
}

read("notes", notes);
read("log/pia", log);
const producer = publisher.producer("log/pia");
const say = (text: string) => producer.publish({ event: "said", data: { text } });
const answers = [await plain.call("note.add", { text: "one" })];
const verdicts = [await say("first")];
await all(true);
process.stdout.write("connected\n");

await all(false);
process.stdout.write("lost\n");
answers.push(
  ...(await Promise.all([
    plain.call("note.add", { text: "two" }),
    durable.call("note.add", { text: "three" }, { durable: true }),
  ])),
);
verdicts.push(await say("second"));
await until(
  () => notes.length >= 3 && log.length >= 2,
  (look) => {
    noteCame = look;
    return () => {};
  },
);
const seen: Seen = {
  notes,
  log,
  answers: answers.map(({ text }) => text),
  rejected: verdicts.filter((verdict) => verdict !== null).length,
  reconnects: plain.statistics.reconnects,
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
await Promise.all(sessions.map((one) => one.close()));
