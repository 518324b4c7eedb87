/** What a chat shows of what it knows: items, blocks of a growing text, where links may lead. */
import type { Exchange } from "@holdfast/control/contract";
import { emptyThread, foldThread, type ThreadState } from "@holdfast/react/thread";
import { describe, expect, it } from "vitest";
import { chatItems, isSameChat } from "../../src/features/thread/chat/chatItems.ts";
import { shownOf, withOlderPage } from "../../src/features/thread/chat/chatWindow.ts";
import { endPixels, followingEnd, scrolled } from "../../src/features/thread/chat/followEnd.ts";
import { safeUrl } from "../../src/features/thread/chat/safeUrl.ts";
import { itemOfCommand, itemOfSend } from "../../src/features/thread/ladder.ts";
import { hasNews } from "../../src/shared/data/useMarks.ts";

const at = 1_780_000_000_000;
const value = { agent: "a", queuedAt: at };
const queued = (command: string) => ({
  event: "command.queued",
  data: { command, text: `say ${command}`, position: 0, sentBy: "ada", value },
});
const started = (command: string) => ({ event: "command.started", data: { command } });
const begins = (command: string, message: string) => ({ event: "message.started", data: { command, message } });
const says = (command: string, message: string, text: string) => ({
  event: "text.delta",
  data: { command, message, text },
});
const ends = (command: string, message: string, text: string) => ({
  event: "message.finished",
  data: { command, message, text },
});
const finished = (command: string) => ({
  event: "command.finished",
  data: { command, outcome: "completed", durationMs: 1 },
});
const fold = (...events: { event: string; data: unknown }[]): ThreadState =>
  events.reduce((state, event) => foldThread(state, { at, ...event }), emptyThread);
const shown = (state: ThreadState, older: readonly Exchange[] = []) =>
  shownOf(older.length === 0 ? undefined : withOlderPage(undefined, { items: older }), {
    items: chatItems(state.commands.map(itemOfCommand), state.messages),
    loose: new Set(),
  }).map(({ item, messages, isTyping }) => [item.text, messages.map(({ text }) => text).join("|"), isTyping]);

describe("what was said", () => {
  it("[F64] stands under its own question, whatever came between", () => {
    const state = fold(
      queued("c1"),
      queued("c2"),
      started("c1"),
      begins("c1", "m1"),
      says("c1", "m1", "on"),
      started("c2"),
      begins("c2", "m2"),
      says("c2", "m2", "two"),
      says("c1", "m1", "e"),
      ends("c2", "m2", "two"),
      begins("c1", "m3"),
      says("c1", "m3", "more"),
    );
    expect(shown(state)).toEqual([
      ["say c1", "one|more", false],
      ["say c2", "two", true],
    ]);
  });

  it("[F65] is there once, however often it is told, and from whichever page it comes", () => {
    const events = [queued("c1"), started("c1"), begins("c1", "m1"), ends("c1", "m1", "a"), finished("c1")];
    const state = fold(...events, ...events);
    const older = [
      { command: { ...state.commands[0], id: "c0", text: "say c0" }, messages: [] },
      { command: { ...state.commands[0], text: "say c1" }, messages: [{ id: "m1", state: "finished", text: "a" }] },
    ] as unknown as Exchange[];
    expect(shown(state, older)).toEqual([
      ["say c0", "", false],
      ["say c1", "a", false],
    ]);
  });

  it("types only while an answer is under way and no message of it is being written", () => {
    expect(shown(fold(queued("c1")))[0]?.[2]).toBe(false);
    expect(shown(fold(queued("c1"), started("c1")))[0]?.[2]).toBe(true);
    expect(shown(fold(queued("c1"), started("c1"), begins("c1", "m")))[0]?.[2]).toBe(false);
    expect(shown(fold(queued("c1"), started("c1"), finished("c1")))[0]?.[2]).toBe(false);
    const saved = {
      key: "k",
      target: { kind: "thread", thread: "t" },
      text: "x",
      savedAt: at,
      state: { kind: "saved" },
    };
    const [mine] = chatItems([itemOfSend(saved as Parameters<typeof itemOfSend>[0])], []);
    expect(mine).toMatchObject({ isTyping: false, item: { state: "saved" } });
  });
});

it("an event of one exchange leaves all others as they are drawn", () => {
  const before = fold(queued("c1"), begins("c1", "m1"), ends("c1", "m1", "one"), queued("c2"), begins("c2", "m2"));
  const after = foldThread(before, { at, ...says("c2", "m2", "t") });
  const items = new Map(before.commands.map((command) => [command.id, itemOfCommand(command)]));
  const drawn = (state: ThreadState) =>
    chatItems(
      state.commands.map((command) => items.get(command.id) ?? itemOfCommand(command)),
      state.messages,
    );
  expect(drawn(after).map((chat, index) => isSameChat(chat, drawn(before)[index] ?? chat))).toEqual([true, false]);
});

describe("the end of what grows is followed", () => {
  const place = (scrollTop: number, scrollHeight: number) => ({ scrollTop, scrollHeight, clientHeight: 500 });

  it("until the person scrolls up from it, and again once they are back", () => {
    let following = scrolled(followingEnd, place(1_500, 2_000));
    following = scrolled(following, place(1_500 - endPixels, 2_000));
    expect(following.isAtEnd).toBe(false);
    following = scrolled(following, place(1_450, 2_100));
    expect(following.isAtEnd).toBe(false);
    expect(scrolled(following, place(1_600, 2_100)).isAtEnd).toBe(true);
  });

  it("although more came between a scroll and its event than fits a screen", () => {
    const following = scrolled(followingEnd, place(1_500, 2_000));
    expect(scrolled(following, place(1_500, 9_000)).isAtEnd).toBe(true);
    expect(scrolled(following, place(1_499, 9_000)).isAtEnd).toBe(false);
  });
});

it.each([
  ["https://example.com/a?b#c", "https://example.com/a?b#c"],
  ["mailto:a@example.com", "mailto:a@example.com"],
  ["javascript:alert(1)", undefined],
  ["java\tscript:alert(1)", undefined],
  [" javascript:alert(1)", undefined],
  ["JaVaScRiPt:alert(1)", undefined],
  ["data:text/html,x", undefined],
  ["vbscript:x", undefined],
  ["/people", undefined],
  ["//evil.example", undefined],
  ["", undefined],
  [undefined, undefined],
])("[O1] a link to %j leads to %j", (url, expected) => {
  expect(safeUrl(url)).toBe(expected);
});

it("a thread has news after the mark of this person, and none where there is no mark", () => {
  const marks = new Map([["t", 5]]);
  expect(hasNews(marks, { id: "t", activeAt: 6 })).toBe(true);
  expect(hasNews(marks, { id: "t", activeAt: 5 })).toBe(false);
  expect(hasNews(marks, { id: "other", activeAt: 6 })).toBe(false);
  expect(hasNews(undefined, { id: "t", activeAt: 6 })).toBe(false);
});
