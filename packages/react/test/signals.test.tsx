// @vitest-environment jsdom
/**
 * What is told without being stored, and a request that nobody catches.
 *
 * Seen red: the fade without its timer; the map made anew for what was heard before; `send` without a handler.
 */
import { ProtocolError } from "@holdfast/protocol";
import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HoldfastProvider, hooksFor, useSignal } from "../src/index.ts";
import { FakeSession } from "./support/fakeSession.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function wrapper(fake: FakeSession): { wrapper: (props: { children: ReactNode }) => ReactNode } {
  const session = fake.asSession();
  return { wrapper: ({ children }) => <HoldfastProvider session={session}>{children}</HoldfastProvider> };
}

function hear(fake: FakeSession, from: string, data: unknown = true, signal = "typing", stream = "room"): void {
  act(() => {
    for (const hearer of fake.hearers) hearer({ stream, signal, from, data });
  });
}

it("[ST-17] who was heard is shown until silent for a life; others' streams and signals are not", () => {
  const fake = new FakeSession();
  const { result } = renderHook(() => useSignal("room", "typing", { lifeMs: 3_000 }), wrapper(fake));
  hear(fake, "ada");
  hear(fake, "bob", { at: 1 });
  hear(fake, "eve", true, "presence");
  hear(fake, "eve", true, "typing", "other");
  expect([...result.current]).toEqual([
    ["ada", true],
    ["bob", { at: 1 }],
  ]);
  act(() => void vi.advanceTimersByTime(2_000));
  const before = result.current;
  hear(fake, "bob", { at: 1 });
  expect(result.current).toBe(before);
  act(() => void vi.advanceTimersByTime(1_000));
  expect([...result.current.keys()]).toEqual(["bob"]);
  act(() => void vi.advanceTimersByTime(2_000));
  expect(result.current.size).toBe(0);
});

it("[ST-17] what is so is said at once and three times a life, and no more once it is not", () => {
  const fake = new FakeSession();
  const { rerender, unmount } = renderHook(
    ({ say }: { say: unknown }) => useSignal("room", "typing", { lifeMs: 3_000, say }),
    { ...wrapper(fake), initialProps: { say: undefined as unknown } },
  );
  expect(fake.said).toEqual([]);
  rerender({ say: { to: "ada" } });
  rerender({ say: { to: "ada" } });
  expect(fake.said).toEqual([{ stream: "room", signal: "typing", data: { to: "ada" } }]);
  vi.advanceTimersByTime(3_000);
  expect(fake.said).toHaveLength(4);
  rerender({ say: undefined });
  vi.advanceTimersByTime(9_000);
  expect(fake.said).toHaveLength(4);
  unmount();
});

it("[F18] unmounting leaves no listener and no timer", () => {
  const fake = new FakeSession();
  const { unmount } = renderHook(() => useSignal("room", "typing", { lifeMs: 3_000, say: true }), wrapper(fake));
  hear(fake, "ada");
  expect([fake.hearers.size, vi.getTimerCount()]).toEqual([1, 2]);
  unmount();
  expect([fake.hearers.size, vi.getTimerCount()]).toEqual([0, 0]);
});

it("[I6] a thousand speakers at most are kept, the longest silent goes", () => {
  const fake = new FakeSession();
  const { result } = renderHook(() => useSignal("room", "typing", { lifeMs: 3_000 }), wrapper(fake));
  act(() => {
    for (let count = 0; count <= 1_000; count += 1)
      for (const hearer of fake.hearers) hearer({ stream: "room", signal: "typing", from: `p${count}`, data: 1 });
  });
  expect([result.current.size, result.current.has("p0"), result.current.has("p1000")]).toEqual([1_000, false, true]);
  expect(vi.getTimerCount()).toBe(1_000);
});

it("a request whose answer nobody awaits shows its error and is no unhandled rejection", async () => {
  vi.useRealTimers();
  const { useRequest } = hooksFor<{ "card.add": { params: { title: string }; result: null } }>();
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  const fake = new FakeSession();
  const { result } = renderHook(() => useRequest("card.add"), wrapper(fake));
  act(() => void result.current.send({ title: "one" }));
  await act(async () => fake.calls[0]?.reject(new ProtocolError("forbidden", "no")));
  await new Promise((done) => setImmediate(done));
  process.off("unhandledRejection", unhandled);
  expect(result.current.error?.code).toBe("forbidden");
  expect(unhandled).not.toHaveBeenCalled();
});
