/**
 * The one event that every run sends, so that all peers carry the same bytes.
 *
 * Its size is constant: a reader can count events by bytes, and only some readers need to look inside. `n`
 * is the publisher and its count of events (only the order of one publisher is anybody's promise), `t` is when
 * it was sent, on the machine's monotonic clock.
 */

export const stream = "bench/a";

/** `n` is `publisher * publisherStep + count`. */
export const publisherStep = 1_000_000_000;
const countDigits = 12;
const timeDigits = 16;
const emptyPad = `{"n":"${"0".repeat(countDigits)}","t":"${"0".repeat(timeDigits)}","pad":""}`;
const envelope = '{"event":"tick","at":1700000000000,"data":}';

/** An event's `data`, such that the whole event has `eventBytes` on the wire. */
export function dataText(n: number, microseconds: number, eventBytes: number): string {
  const pad = "x".repeat(Math.max(0, eventBytes - envelope.length - emptyPad.length));
  const count = String(n).padStart(countDigits, "0");
  return `{"n":"${count}","t":"${String(microseconds).padStart(timeDigits, "0")}","pad":"${pad}"}`;
}

/** The whole event as Holdfast sends it; the peers are given the same text as their message. */
export function eventText(n: number, microseconds: number, eventBytes: number): string {
  return `{"event":"tick","at":1700000000000,"data":${dataText(n, microseconds, eventBytes)}}`;
}

/** Calls `each` for every event in a text, in order. */
export function readEvents(text: string, each: (n: number, microseconds: number) => void): void {
  let at = text.indexOf('"n":"');
  while (at >= 0) {
    const count = at + 5;
    const time = count + countDigits + 7;
    each(Number(text.slice(count, count + countDigits)), Number(text.slice(time, time + timeDigits)));
    at = text.indexOf('"n":"', time + timeDigits);
  }
}
