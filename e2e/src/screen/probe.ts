/**
 * What runs in the page before the page does: it notes when a message of the conversation came to the tab, and when its
 * text was in the document.
 *
 * A message is told by the mark in its text (`m17`); `q17` is the question with it, `r17` a reply. Times are the page's
 * `Date.now()`, the same machine's clock as the server's: both are whole ms, so a difference is right within 1 ms either
 * way. It looks at what changed only, so that looking costs little of what it measures. A mark that stands in the document
 * twice at once, or below a later one, is counted.
 */
export interface Sightings {
  /** Mark → when the shared socket's worker had given it to this tab. */
  readonly arrived: Readonly<Record<string, number>>;
  /** Mark → when its text was in the document. */
  readonly shown: Readonly<Record<string, number>>;
  /** Mark → when the frame after that had been drawn; not in a hidden tab, which draws none. */
  readonly drawn: Readonly<Record<string, number>>;
  readonly doubled: readonly string[];
  readonly disordered: readonly string[];
  /** Tasks of more than 50 ms: when each began, and for how long it held the page, ms. */
  readonly longTasks: readonly { readonly at: number; readonly ms: number }[];
}

declare global {
  interface Window {
    holdfastSightings?: Sightings;
  }
}

/** Given to the browser as text: it may use nothing of this module. */
export function probe(): void {
  const arrived: Record<string, number> = {};
  const shown: Record<string, number> = {};
  const drawn: Record<string, number> = {};
  const doubled: string[] = [];
  const disordered: string[] = [];
  const longTasks: { at: number; ms: number }[] = [];
  window.holdfastSightings = { arrived, shown, drawn, doubled, disordered, longTasks };
  const mark = /\bm(\d+)\b/;

  const noteArrival = (batch: unknown): void => {
    if (!Array.isArray(batch)) return;
    for (const { kind, events } of batch as { kind: string; events?: { event: string; data: { text?: string } }[] }[]) {
      if (kind !== "deliver") continue;
      for (const { event, data } of events ?? []) {
        const number =
          event === "command.queued" || event === "text.delta" ? mark.exec(data.text ?? "")?.[1] : undefined;
        if (number !== undefined) arrived[`${event === "command.queued" ? "q" : "r"}${number}`] ??= Date.now();
      }
    }
  };
  const setter = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
  Object.defineProperty(MessagePort.prototype, "onmessage", {
    ...setter,
    set(this: MessagePort, handle: ((event: MessageEvent) => void) | null) {
      const noting = (event: MessageEvent): void => {
        noteArrival(event.data);
        handle?.(event);
      };
      setter?.set?.call(this, handle === null ? null : noting);
    },
  });

  const elements = new Map<string, Element>();
  let newest = 0;
  let awaitingFrame: string[] = [];
  const frame = new MessageChannel();
  frame.port1.onmessage = () => {
    const now = Date.now();
    for (const key of awaitingFrame) drawn[key] = now;
    awaitingFrame = [];
  };
  const see = (element: Element): void => {
    const number = mark.exec(element.textContent ?? "")?.[1];
    if (number === undefined) return;
    const key = `${element.getAttribute("data-testid") === "chat-question" ? "q" : "r"}${number}`;
    const before = elements.get(key);
    if (before === element) return;
    if (before?.isConnected === true) doubled.push(key);
    elements.set(key, element);
    if (key in shown) return;
    shown[key] = Date.now();
    if (key.startsWith("q")) {
      if (Number(number) < newest) disordered.push(key);
      newest = Math.max(newest, Number(number));
    }
    if (awaitingFrame.length === 0) requestAnimationFrame(() => frame.port2.postMessage(undefined));
    awaitingFrame.push(key);
  };
  const parts = '[data-testid="chat-question"], [data-testid="chat-reply"]';
  new MutationObserver((records) => {
    const touched = new Set<Element>();
    for (const { target, addedNodes } of records) {
      const around = (target instanceof Element ? target : target.parentElement)?.closest(parts);
      if (around) {
        touched.add(around);
        continue;
      }
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        if (node.matches(parts)) touched.add(node);
        for (const part of node.querySelectorAll(parts)) touched.add(part);
      }
    }
    for (const element of touched) see(element);
  }).observe(document, { subtree: true, childList: true, characterData: true });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      longTasks.push({ at: performance.timeOrigin + startTime, ms: duration });
  }).observe({ type: "longtask", buffered: true });
}
