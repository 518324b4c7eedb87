/**
 * The part of a conversation that is shown: pages before the end, and places far back, without holes.
 *
 * Seen red: what falls out of the stream's part forgotten; kept twice; a place far back shown with the end right behind it;
 * later pages that never join; pages that outlive their history.
 */
import { describe, expect, it } from "vitest";
import { chatItems, ofExchange } from "../../src/features/thread/chat/chatItems.ts";
import {
  type ChatWindow,
  type Page,
  type StreamPart,
  shownOf,
  windowAround,
  withFallen,
  withLaterPage,
  withOlderPage,
} from "../../src/features/thread/chat/chatWindow.ts";
import { itemOfSend } from "../../src/features/thread/ladder.ts";
import { makeCommand } from "../support/sampleData.ts";

const exchange = (n: number) => ({ command: makeCommand({ id: `c${n}`, text: `n${n}` }), messages: [] });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => exchange(from + index));
const stream = (from: number, to: number, ...loose: number[]): StreamPart => ({
  items: [...loose.map((n) => ofExchange(exchange(n))), ...range(from, to).map(ofExchange)],
  loose: new Set(loose.map((n) => `c${n}`)),
});
const page = (from: number, to: number, ends: Omit<Page, "items"> = {}): Page => ({ items: range(from, to), ...ends });
const texts = (window: ChatWindow | undefined, from: number, to: number, ...loose: number[]): string =>
  shownOf(window, stream(from, to, ...loose))
    .map(({ item }) => item.text)
    .join(" ");

describe("chat window", () => {
  it("puts older pages in front, and shows once what both have", () => {
    const one = withOlderPage(undefined, page(4, 6, { next: "c4" }));
    const two = withOlderPage(one, page(2, 3));
    expect([texts(undefined, 6, 7), texts(one, 6, 7), texts(two, 6, 7)]).toEqual([
      "n6 n7",
      "n4 n5 n6 n7",
      "n2 n3 n4 n5 n6 n7",
    ]);
    expect([one.next, two.next]).toEqual(["c4", undefined]);
  });

  it("keeps what the stream's part lets go of, once, and nothing of a history that was replaced", () => {
    const send = itemOfSend({
      key: "s",
      target: { kind: "thread", thread: "t" },
      text: "unsent",
      savedAt: 1,
      state: { kind: "saved" },
    });
    const window = withOlderPage(undefined, page(4, 5));
    const before = { ...stream(6, 8), items: [...stream(6, 8).items, ...chatItems([send], [])] };
    const after = withFallen(window, before, stream(8, 9));
    expect(texts(after, 8, 9)).toBe("n4 n5 n6 n7 n8 n9");
    expect(after && withFallen(after, stream(6, 8), stream(8, 9))).toBe(after);
    expect(withFallen(window, stream(6, 8), { items: [], loose: new Set() })).toBeUndefined();
  });

  it("shows a place far back without the end, until later pages reach it", () => {
    const far = windowAround(page(10, 12, { next: "c10", later: "c12" }), stream(20, 22));
    expect(texts(far, 20, 22)).toBe("n10 n11 n12");
    expect(withFallen(far, stream(20, 22), stream(21, 23))).toBe(far);
    const nearer = withLaterPage(far, page(13, 15, { later: "c15" }), stream(20, 22));
    expect([texts(nearer, 20, 22), nearer.next]).toEqual(["n10 n11 n12 n13 n14 n15", "c10"]);
    const joined = withLaterPage(nearer, page(16, 20, { later: "c20" }), stream(20, 22));
    expect(texts(joined, 20, 22)).toBe("n10 n11 n12 n13 n14 n15 n16 n17 n18 n19 n20 n21 n22");
    expect(joined.later).toBeUndefined();
    const older = withOlderPage(far, page(8, 9));
    expect([texts(older, 20, 22), older.later]).toEqual(["n8 n9 n10 n11 n12", "c12"]);
  });

  it("an old one that has not ended joins nothing, and stands at its place once that is there", () => {
    const far = windowAround(page(1, 3, { later: "c3" }), stream(20, 22, 2));
    expect([texts(far, 20, 22, 2), far.later]).toEqual(["n1 n2 n3", "c3"]);
    const older = withOlderPage(undefined, page(18, 19, { next: "c18" }));
    expect(texts(older, 20, 22, 2)).toBe("n2 n18 n19 n20 n21 n22");
    expect(texts(withOlderPage(older, page(1, 17)), 20, 22, 2)).toMatch(/^n1 n2 n3 .* n22$/);
    // It ends, and falls out: it is no neighbour of what is shown.
    expect(withFallen(older, stream(20, 22, 2), { ...stream(20, 22), loose: new Set(["c2"]) })).toBe(older);
  });

  it("joins a place near the end with it at once", () => {
    const near = windowAround(page(17, 20, { next: "c17", later: "c20" }), stream(20, 22));
    expect(texts(near, 20, 22)).toBe("n17 n18 n19 n20 n21 n22");
    const whole = windowAround(page(1, 3), stream(4, 5));
    expect([texts(whole, 4, 5), whole.next]).toEqual(["n1 n2 n3 n4 n5", undefined]);
  });
});
