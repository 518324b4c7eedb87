/** Two ends of one way in memory: for the tab that is the host itself. */
import type { Port } from "./port.ts";

/** What is posted arrives in a later turn, as through a browser's ports. */
export function memoryPair<ToTab, FromTab>(): { tab: Port<ToTab, FromTab>; host: Port<FromTab, ToTab> } {
  const down = lane<ToTab>();
  const up = lane<FromTab>();
  const close = (): void => {
    down.close();
    up.close();
  };
  return {
    tab: { post: up.post, listen: down.listen, close },
    host: { post: down.post, listen: up.listen, close },
  };
}

function lane<Message>() {
  let listener: ((batch: readonly Message[]) => void) | undefined;
  let waiting: (readonly Message[])[] = [];
  let closed = false;
  const deliver = (): void => {
    if (listener === undefined) return;
    const batches = waiting;
    waiting = [];
    for (const batch of batches) if (!closed) listener(batch);
  };
  return {
    post(batch: readonly Message[]) {
      waiting.push(batch);
      queueMicrotask(deliver);
    },
    listen(heard: (batch: readonly Message[]) => void) {
      listener = heard;
      queueMicrotask(deliver);
    },
    close() {
      closed = true;
    },
  };
}
