/**
 * Small choices that the page remembers: theme and open panels on this device, who has the keys in this tab.
 *
 * Every value is a string that its reader judges; a storage that is full, forbidden or broken only means
 * that nothing is remembered. Never a credential, never what agents wrote (O8).
 */

const prefix = "holdfast.";

/** The remembered value, or undefined where there is none (or no storage). */
export function recall(storage: "device" | "tab", key: string): string | undefined {
  try {
    return open(storage).getItem(prefix + key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers `value`; an empty one is forgotten. */
export function remember(storage: "device" | "tab", key: string, value: string): void {
  try {
    if (value === "") open(storage).removeItem(prefix + key);
    else open(storage).setItem(prefix + key, value);
  } catch {
    // A device that refuses storage still works; it only forgets.
  }
}

/** Forgets all that is remembered there, with a sign-out (O8). */
export function forgetAll(storage: "tab"): void {
  try {
    const store = open(storage);
    for (const key of Object.keys(store)) if (key.startsWith(prefix)) store.removeItem(key);
  } catch {
    // As above.
  }
}

const open = (storage: "device" | "tab"): Storage =>
  storage === "device" ? window.localStorage : window.sessionStorage;
