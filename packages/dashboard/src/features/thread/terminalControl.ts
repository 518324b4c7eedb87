/**
 * Whether this tab's keys go to the thread's program: asked for by a person, remembered in the tab, so that
 * a reload keeps it. A new terminal begins in control (CONTROL.md "Terminals").
 */
import { useState } from "react";
import { recall, remember } from "../../shared/platform/remembered.ts";

const keyOf = (thread: string): string => `control.${thread}`;

export const beginInControl = (thread: string): void => remember("tab", keyOf(thread), "yes");

export function useTerminalControl(thread: string): readonly [boolean, (control: boolean) => void] {
  const [control, setControl] = useState(() => recall("tab", keyOf(thread)) === "yes");
  const choose = (next: boolean): void => {
    remember("tab", keyOf(thread), next ? "yes" : "");
    setControl(next);
  };
  return [control, choose];
}
