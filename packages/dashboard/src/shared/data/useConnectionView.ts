/** The connection as a component sees it (`connectionStore.ts`). */
import type { AnySession } from "@holdfast/client";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { pageClock } from "../platform/clockShell.ts";
import { ConnectionStore, type ConnectionView } from "./connectionStore.ts";

export function useConnectionView(session: AnySession): ConnectionView {
  const store = useMemo(() => new ConnectionStore(session, pageClock), [session]);
  useEffect(() => store.start(), [store]);
  return useSyncExternalStore(store.onChange, store.view);
}
