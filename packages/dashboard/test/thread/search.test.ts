// @vitest-environment jsdom
/**
 * A search in a thread: its steps as a table, and where a text stands in what is drawn.
 *
 * Seen red: an answer to another text believed; a search that goes on for ever; the place moved by more that is found; an
 * error that cannot be tried again; marks at the wrong letters where markup cuts a word.
 */
import { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { marksMax, placesIn } from "../../src/features/thread/chat/search/marks.ts";
import {
  emptyPagesMax,
  noSearch,
  placeOf,
  reduceSearch,
  type SearchAction,
  type SearchState,
} from "../../src/features/thread/chat/search/searchState.ts";

const found = (...names: string[]) => names.map((name) => ({ command: name, message: null, excerpt: name, at: 1 }));
const run = (...actions: SearchAction[]): SearchState => actions.reduce(reduceSearch, noSearch);
const typed = (text: string): SearchAction => ({ kind: "typed", text });
const page = (names: string[], next?: string, text = "kelp"): SearchAction => ({
  kind: "page",
  text,
  items: found(...names),
  next,
});
const at = (state: SearchState): string | undefined => placeOf(state)?.command;

describe("a search", () => {
  it("begins at the newest place, goes back and forth, and further back where there is more", () => {
    let state = run(typed(" kelp "), page(["c", "b"], "b"));
    expect([state.text, at(state), state.isSearching]).toEqual(["kelp", "c", false]);
    const steps: (string | undefined)[] = [];
    for (const kind of ["earlier", "later", "later", "earlier"] as const) {
      state = reduceSearch(state, { kind });
      steps.push(at(state));
    }
    expect(steps).toEqual(["b", "c", "c", "b"]);
    state = reduceSearch(state, { kind: "earlier" });
    expect([at(state), state.isSearching]).toEqual(["b", true]);
    state = reduceSearch(state, page(["a"]));
    expect([at(state), state.places.length, state.next]).toEqual(["a", 3, undefined]);
    expect(reduceSearch(state, { kind: "earlier" })).toBe(state);
  });

  it("an answer to what is no longer looked for changes nothing", () => {
    const state = run(typed("kelp"), typed("kelpie"));
    expect(reduceSearch(state, page(["x"]))).toBe(state);
    expect(reduceSearch(state, { kind: "failed", text: "kelp", error: new ProtocolError("timeout", "late") })).toBe(
      state,
    );
    expect(run(typed("kelp"), page(["x"]), typed(""))).toEqual(noSearch);
  });

  it("goes on by itself through pages without a find, so many, and further when asked", () => {
    let state = run(typed("kelp"));
    for (let pages = 1; pages < emptyPagesMax; pages += 1) {
      state = reduceSearch(state, page([], `p${pages}`));
      expect(state.isSearching).toBe(true);
    }
    state = reduceSearch(state, page([], "far"));
    expect([state.isSearching, state.next, at(state)]).toEqual([false, "far", undefined]);
    state = reduceSearch(state, { kind: "on" });
    expect(state.isSearching).toBe(true);
    expect(reduceSearch(state, page([]))).toMatchObject({ isSearching: false, next: undefined, places: [] });
  });

  it("says why it failed, keeps what was found, and is tried again from there", () => {
    const error = new ProtocolError("timeout", "no answer");
    const state = run(typed("kelp"), page(["c"], "c"), { kind: "earlier" }, { kind: "failed", text: "kelp", error });
    expect([state.error, state.isSearching, at(state)]).toEqual([error, false, "c"]);
    const again = reduceSearch(state, { kind: "on" });
    expect([again.error, again.isSearching, again.next]).toEqual([undefined, true, "c"]);
    expect(reduceSearch(noSearch, { kind: "on" })).toBe(noSearch);
  });
});

describe("marks", () => {
  const drawn = (html: string): Element => new DOMParser().parseFromString(html, "text/html").body;
  const marked = (html: string, wanted: string): string[] => placesIn(drawn(html), "p", wanted).map(String);

  it("stand over markup and code that cut a word, whatever the case, in the parts that are searched alone", () => {
    expect(marked("<p>The <b>Ke</b>lp and <code>k<i>el</i>p</code></p><div>kelp</div>", "kelp")).toEqual([
      "Kelp",
      "kelp",
    ]);
    expect(marked("<p>aaaa</p><p>a</p>", "aa")).toEqual(["aa", "aa"]);
    expect(marked("<p>kelp</p>", "")).toEqual([]);
  });

  it("are none where letters change their length with their case, and bounded", () => {
    expect(marked("<p>İ kelp</p><p>kelp</p>", "kelp")).toEqual(["kelp"]);
    expect(marked(`<p>${"x ".repeat(2 * marksMax)}</p>`, "x").length).toBe(marksMax);
  });
});
