/**
 * How long a page's tasks take, in time of the processor: how busy the machine is with other things changes nothing.
 *
 * Life cycle: begun → the browser records each task of its main threads → ended, with those of the page. It is
 * for seconds: a record of minutes would not fit.
 */
import type { Browser } from "playwright-core";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** µs: from beginning to end, and of the processor. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

export interface Tasks {
  /** The longest ones, the longest first, ms. */
  readonly longestMs: readonly number[];
  readonly count: number;
  readonly allMs: number;
}

const longestKept = 5;

/** Resolves once it records; the function ends it. */
export async function recordTasks(browser: Browser): Promise<() => Promise<Tasks>> {
  const session = await browser.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => void events.push(...(value as unknown as TraceEvent[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: {
      includedCategories: ["toplevel", "disabled-by-default-devtools.timeline"],
      excludedCategories: ["*"],
    },
  });
  return async () => {
    const complete = new Promise<void>((done) => session.once("Tracing.tracingComplete", () => done()));
    await session.send("Tracing.end");
    await complete;
    await session.detach();
    return tasksOf(events);
  };
}

/** Of the busiest page: a browser has pages of its own, which nobody sees. */
function tasksOf(events: readonly TraceEvent[]): Tasks {
  const mains = new Map<string, number[]>();
  for (const { name, args, pid, tid } of events)
    if (name === "thread_name" && args?.name === "CrRendererMain") mains.set(`${pid} ${tid}`, []);
  for (const { name, pid, tid, tdur } of events)
    if (name === "RunTask" && tdur !== undefined) mains.get(`${pid} ${tid}`)?.push(tdur / 1_000);
  const sum = (tasks: readonly number[]): number => tasks.reduce((all, ms) => all + ms, 0);
  const [busiest = []] = [...mains.values()].sort((one, other) => sum(other) - sum(one));
  return {
    longestMs: busiest.toSorted((one, other) => other - one).slice(0, longestKept),
    count: busiest.length,
    allMs: sum(busiest),
  };
}
