/** What tabs need of a browser, as ports: message ports, broadcast channels, Web Locks. */
import type { Locks, Port } from "./port.ts";

/** True in a secure context: without locks nobody would know that a tab or a worker died. */
export function canShare(): boolean {
  return typeof navigator !== "undefined" && "locks" in navigator && typeof BroadcastChannel !== "undefined";
}

/** Web Locks, each name below `prefix`. */
export function webLocks(prefix: string): Locks {
  return {
    acquire(name, held, { lost = () => {}, steals = false } = {}) {
      const abort = new AbortController();
      let release = (): void => abort.abort();
      let isOurs = false;
      const options = steals ? { steal: true } : { signal: abort.signal };
      navigator.locks
        .request(`${prefix} ${name}`, options, () => {
          const released = new Promise<void>((resolve) => {
            release = () => {
              isOurs = false;
              resolve();
            };
          });
          isOurs = true;
          held();
          return released;
        })
        .catch(() => {
          // Given up before it was granted, or taken over while it was held.
          if (isOurs) lost();
        });
      return () => release();
    },
  };
}

export function messagePort<In, Out>(port: MessagePort): Port<In, Out> {
  return {
    post: (batch) => port.postMessage(batch),
    listen(listener) {
      port.onmessage = ({ data }) => listener(data as readonly In[]);
    },
    close: () => port.close(),
  };
}

export function channelPort<In, Out>(name: string): Port<In, Out> {
  const channel = new BroadcastChannel(name);
  return {
    post: (batch) => channel.postMessage(batch),
    listen(listener) {
      channel.onmessage = ({ data }) => listener(data as readonly In[]);
    },
    close: () => channel.close(),
  };
}
