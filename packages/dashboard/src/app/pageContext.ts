/** The page's life for the views that end or mend it: sign out, sign in again. */
import { createContext, use } from "react";
import type { PageSession } from "./pageSession.ts";

export const PageContext = createContext<PageSession | undefined>(undefined);

export function usePage(): PageSession {
  const page = use(PageContext);
  if (page === undefined) throw new Error("this component must be inside PageContext");
  return page;
}
