/** Up to when this person has seen which thread, on whatever device: a pure fold of the stream `reads/<user>`. */
import type { ReadsEventData, ReadsSnapshot } from "@holdfast/control/contract";
import { streams } from "@holdfast/control/names";
import { useStream } from "@holdfast/react";
import { useSyncExternalStore } from "react";
import { useLive } from "./LiveData.tsx";

/** Thread → ms of the server's clock. */
export type Marks = ReadonlyMap<string, number>;

const noMarks: Marks = new Map();
const options = {
  from: "latest",
  initial: noMarks,
  snapshot: (data: Readonly<Record<string, unknown>>): Marks =>
    new Map((data as unknown as ReadsSnapshot).reads.map(({ thread, readAt }) => [thread, readAt])),
} as const;

/** Undefined until they are known. */
export function useMarks(): Marks | undefined {
  const { session } = useLive();
  const user = useSyncExternalStore(session.onChange, () => session.user?.id) ?? "";
  const { state, status } = useStream(streams.reads(user), fold, options);
  return status.kind === "live" ? state : undefined;
}

function fold(marks: Marks, { event, data }: { readonly event: string; readonly data: unknown }): Marks {
  if (event !== "thread.marked") return marks;
  const { thread, readAt } = data as ReadsEventData["thread.marked"];
  return new Map(marks).set(thread, readAt);
}

/** Whether something has happened in a thread since this person last saw it; one that they never saw is no news. */
export function hasNews(marks: Marks | undefined, thread: { readonly id: string; readonly activeAt: number }): boolean {
  const readAt = marks?.get(thread.id);
  return readAt !== undefined && thread.activeAt > readAt;
}
