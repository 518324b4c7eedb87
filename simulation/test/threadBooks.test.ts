/** What the simulated world knows of threads that retention may take from (ST-10): a model of its own. */
import { describe, expect, it } from "vitest";
import { makeThreadBooks, type ThreadBooks } from "../src/world/threadBooks.ts";

const place = "default\nthread/1";

/** A terminal's output, keyframe and output again, and between them a command's start. */
function written(): ThreadBooks {
  const books = makeThreadBooks();
  books.committed(place, 1, "command.started", { command: "c" });
  books.committed(place, 2, "terminal.output", { terminal: "t" });
  books.committed(place, 3, "terminal.output", { terminal: "other" });
  books.committed(place, 4, "terminal.screen", { terminal: "t" });
  books.committed(place, 5, "terminal.output", { terminal: "t" });
  return books;
}

const left = (...offsets: readonly number[]): ReadonlySet<number> => new Set(offsets);

describe("the books of threads", () => {
  it("[ST-10] what a later keyframe of its scope replaces may go, and is told once", () => {
    const books = written();
    expect(books.removed(place, 0, left(1, 3, 4, 5))).toEqual([
      { offset: 2, event: "terminal.output", isReplaced: true },
    ]);
    expect(books.removed(place, 0, left(1, 3, 4, 5))).toEqual([]);
  });

  it("[ST-10] what belongs to no scope, to another, or comes after the keyframe is replaced by nothing", () => {
    expect(written().removed(place, 0, left(2, 4))).toEqual([
      { offset: 1, event: "command.started", isReplaced: false },
      { offset: 3, event: "terminal.output", isReplaced: false },
      { offset: 5, event: "terminal.output", isReplaced: false },
    ]);
  });

  it("[ST-10] a keyframe itself is replaced by a later one only", () => {
    const books = written();
    books.committed(place, 6, "terminal.screen", { terminal: "t" });
    expect(books.removed(place, 0, left(1, 2, 3, 5, 6))).toEqual([
      { offset: 4, event: "terminal.screen", isReplaced: true },
    ]);
    expect(books.removed(place, 0, left(1, 2, 3, 5))).toEqual([
      { offset: 6, event: "terminal.screen", isReplaced: false },
    ]);
  });

  it("[ST-10] pieces of a message are replaced by its end, and of no other's", () => {
    const books = makeThreadBooks();
    for (const [index, message] of ["m", "n"].entries())
      books.committed(place, index + 1, "text.delta", { message, text: "x" });
    books.committed(place, 3, "message.finished", { message: "m", text: "x" });
    expect(books.removed(place, 0, left(3))).toEqual([
      { offset: 1, event: "text.delta", isReplaced: true },
      { offset: 2, event: "text.delta", isReplaced: false },
    ]);
  });

  it("a removed beginning is told as that, and not event by event", () => {
    const books = written();
    expect(books.removed(place, 3, left(4, 5))).toEqual([]);
    expect(books.removed(place, 3, left(4))).toEqual([{ offset: 5, event: "terminal.output", isReplaced: false }]);
  });

  it("[ST-15] what a rollback took is nobody's to remove, and its keyframe replaces nothing any more", () => {
    const books = written();
    books.cut(place, 3);
    expect(books.removed(place, 0, left(1, 3))).toEqual([{ offset: 2, event: "terminal.output", isReplaced: false }]);
  });

  it("streams that are no threads are in no book, and a thread that is gone whole has all of it gone", () => {
    const books = makeThreadBooks();
    books.committed("default\nfleet", 1, "agent.changed", {});
    expect([books.isEmpty, books.removed("default\nfleet", 0, undefined)]).toEqual([true, []]);
    expect(written().removed(place, 0, undefined)).toHaveLength(5);
  });
});
