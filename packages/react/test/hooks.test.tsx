// @vitest-environment jsdom
/**
 * The hooks over a session that the test plays by hand.
 *
 * Seen red: [F07] with the reducer among the effect's dependencies; the throw with one change per event
 * instead of one per message; the reset with the state kept.
 */
import { ProtocolError } from "@holdfast/protocol";
import { act, cleanup, render, renderHook } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { afterEach, describe, expect, it } from "vitest";
import { HoldfastProvider, useConnection, useRequest, useSession, useStream } from "../src/index.ts";
import { FakeSession } from "./support/fakeSession.ts";

afterEach(cleanup);

const sum = (state: number, event: { readonly data: unknown }): number => state + (event.data as number);

function wrapper(fake: FakeSession): { wrapper: (props: { children: ReactNode }) => ReactNode } {
  const session = fake.asSession();
  return { wrapper: ({ children }) => <HoldfastProvider session={session}>{children}</HoldfastProvider> };
}

function Sum(): ReactNode {
  return <p>{useStream("s", sum, { from: "start", initial: 0 }).state}</p>;
}

describe("useStream", () => {
  it("folds events in order, and renders once a message however many events it holds", () => {
    const fake = new FakeSession();
    let renders = 0;
    const { result } = renderHook(() => {
      renders += 1;
      return useStream("s", sum, { from: "start", initial: 0 });
    }, wrapper(fake));
    const before = renders;
    act(() => void fake.deliver("s", 1, 1, 2, 3, 4));
    expect(result.current.state).toBe(10);
    expect(renders).toBe(before + 1);
  });

  it("[F07] a thousand renders with new callbacks: one subscription, and the latest callback is used", () => {
    const fake = new FakeSession();
    const { result, rerender } = renderHook(
      ({ factor }) =>
        useStream("s", (state: number, event) => state + factor * (event.data as number), {
          from: "start",
          initial: 0,
          snapshot: () => factor,
        }),
      { ...wrapper(fake), initialProps: { factor: 1 } },
    );
    for (let factor = 2; factor <= 1_000; factor += 1) rerender({ factor });
    expect(fake.asked).toEqual(["start"]);
    act(() => void fake.deliver("s", 1, 2));
    expect(result.current.state).toBe(2_000);
    act(() => fake.snapshot("s", 5, {}));
    expect(result.current.state).toBe(1_000);
  });

  it("[ST-6] StrictMode lets go and comes back: it reads on, and nothing is left on unmount", () => {
    const fake = new FakeSession();
    const session = fake.asSession();
    const page = (shown: boolean): ReactNode => (
      <StrictMode>
        <HoldfastProvider session={session}>{shown ? <Sum /> : undefined}</HoldfastProvider>
      </StrictMode>
    );
    const { rerender, container, unmount } = render(page(true));
    expect(fake.readers.size).toBe(1);
    act(() => void fake.deliver("s", 1, 1, 2));
    expect(container.textContent).toBe("3");
    rerender(page(false));
    expect(fake.readers.size).toBe(0);
    unmount();
    expect(fake.listeners).toBe(0);
  });

  it("[ST-6] a reducer that throws leaves the state where it was, and the status says why", () => {
    const fake = new FakeSession();
    const { result } = renderHook(
      () =>
        useStream(
          "s",
          (state: number, event) => {
            if (event.data === 2) throw new Error("cannot fold 2");
            return state + (event.data as number);
          },
          { from: "start", initial: 0 },
        ),
      wrapper(fake),
    );
    let thrown: unknown;
    act(() => {
      thrown = fake.deliver("s", 1, 1, 2, 3);
    });
    expect(String(thrown)).toContain("cannot fold 2");
    act(() => fake.status("s", { kind: "stopped", error: thrown }));
    expect(result.current).toMatchObject({ state: 0, status: { kind: "stopped" }, error: thrown });
  });

  it("[ST-3] a snapshot is the state, a reset makes it initial again", () => {
    const fake = new FakeSession();
    const { result } = renderHook(
      () => useStream("s", sum, { from: "latest", initial: 0, snapshot: (data) => data["total"] as number }),
      wrapper(fake),
    );
    act(() => fake.snapshot("s", 9, { total: 50 }));
    act(() => void fake.deliver("s", 10, 1));
    expect(result.current.state).toBe(51);
    act(() => fake.reset("s"));
    expect(result.current.state).toBe(0);
  });

  it("another stream is another state", () => {
    const fake = new FakeSession();
    const { result, rerender } = renderHook(({ stream }) => useStream(stream, sum, { from: "start", initial: 0 }), {
      ...wrapper(fake),
      initialProps: { stream: "a" },
    });
    act(() => void fake.deliver("a", 1, 7));
    rerender({ stream: "b" });
    expect(result.current.state).toBe(0);
    expect([...fake.readers].map((reader) => reader.stream)).toEqual(["b"]);
  });
});

describe("useConnection", () => {
  it("shows the state as it changes, with a stable snapshot in between", () => {
    const fake = new FakeSession();
    const { result, rerender } = renderHook(() => useConnection(), wrapper(fake));
    const before = result.current;
    rerender();
    expect(result.current).toBe(before);
    act(() => fake.changeState({ kind: "live" }));
    expect(result.current.state).toEqual({ kind: "live" });
  });
});

describe("useRequest", () => {
  it("counts what is awaited, keeps the last error, and its `send` is one function", async () => {
    const fake = new FakeSession();
    const { result, rerender } = renderHook(() => useRequest("do"), wrapper(fake));
    const { send } = result.current;
    let first: Promise<unknown> = Promise.resolve();
    act(() => {
      first = send({}).catch((error: unknown) => error);
    });
    expect(result.current.pending).toBe(true);
    await act(async () => {
      fake.calls[0]?.reject(new ProtocolError("forbidden", "no"));
      await first;
    });
    expect(result.current).toMatchObject({ pending: false, error: { code: "forbidden" } });
    rerender();
    expect(result.current.send).toBe(send);
    let second: Promise<unknown> = Promise.resolve();
    act(() => {
      second = send({});
    });
    await act(async () => {
      fake.calls[1]?.resolve("done");
      await second;
    });
    expect(await second).toBe("done");
    expect(result.current).toMatchObject({ pending: false, error: undefined });
  });

  it("an answer after unmount changes nothing", async () => {
    const fake = new FakeSession();
    const { result, unmount } = renderHook(() => useRequest("do"), wrapper(fake));
    let done: Promise<unknown> = Promise.resolve();
    act(() => {
      done = result.current.send({});
    });
    unmount();
    fake.calls[0]?.resolve("late");
    expect(await done).toBe("late");
  });
});

describe("useSession", () => {
  it("says what is missing without a provider", () => {
    expect(() => renderHook(() => useSession())).toThrow("HoldfastProvider");
  });
});
