/**
 * Light, dark, or as the system says: one choice, remembered on this device, worn by the root element.
 *
 * `useThemeName` changes whenever colours may have changed, for what reads them itself (the terminal).
 */
import { useSyncExternalStore } from "react";
import { recall, remember } from "../platform/remembered.ts";

export const themeChoices = ["system", "light", "dark"] as const;
export type ThemeChoice = (typeof themeChoices)[number];

const listeners = new Set<() => void>();
let choice: ThemeChoice = "system";

/** Before the first drawing: no flash of the other theme. */
export function wearRememberedTheme(): void {
  const remembered = recall("device", "theme");
  choice = themeChoices.find((name) => name === remembered) ?? "system";
  wear();
}

export function chooseTheme(next: ThemeChoice): void {
  choice = next;
  remember("device", "theme", next === "system" ? "" : next);
  wear();
  for (const listener of listeners) listener();
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, () => choice);
}

/** What is worn now, the system's part resolved. */
export function useThemeName(): "light" | "dark" {
  return useSyncExternalStore(subscribe, worn);
}

function worn(): "light" | "dark" {
  if (choice !== "system") return choice;
  return darkQuery().matches ? "dark" : "light";
}

function wear(): void {
  if (choice === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = choice;
}

function subscribe(listener: () => void): () => void {
  const query = darkQuery();
  listeners.add(listener);
  query.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    query.removeEventListener("change", listener);
  };
}

const darkQuery = (): MediaQueryList => window.matchMedia("(prefers-color-scheme: dark)");
