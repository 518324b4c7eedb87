/**
 * Takes a one-time sign-in code out of the address, before anything else happens: a reload, a bookmark or
 * the browser's history must not hold it.
 */
import { codeIn } from "../shared/http/signIn.ts";

export function takeCodeFromAddress(
  location: Pick<Location, "hash" | "pathname" | "search">,
  history: Pick<History, "replaceState" | "state">,
): string | undefined {
  // Read first: `location` is alive, and its hash is gone once the address is replaced.
  const { hash } = location;
  if (hash === "" || hash === "#") return undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
  return codeIn(hash);
}
