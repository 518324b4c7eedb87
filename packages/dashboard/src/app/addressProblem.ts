/**
 * Why a sign-in at a provider's page ended without one: a word in the address, taken out before anything else.
 *
 * The server sends one word of a fixed list; what the address holds beyond it is somebody's text, and is not shown.
 */
const name = "sign-in";

const sentences: ReadonlyMap<string, string> = new Map([
  ["denied", "The sign-in was cancelled there, or is not allowed for you. Try again, or choose another way."],
  ["expired", "This sign-in took longer than 10 minutes, or was begun in another window. Try again."],
  [
    "refused",
    "What came back from there does not hold, so nobody is signed in. Try again; the server’s log says more.",
  ],
  ["unreachable", "The sign-in service does not answer now. Try again in a minute."],
  ["forbidden", "You are known, but have no account here. Ask an admin."],
  ["crowded", "Too many sign-ins from here did not hold. Try again in a minute."],
  ["over", "This link was used before, or is too old. Ask for a new one."],
  ["elsewhere", "This link works once, in the browser that asked for it. Ask for a new one here."],
  ["unavailable", "Nobody can sign in while the server’s database is away. Try again in a minute."],
]);

export function takeProblemFromAddress(
  location: Pick<Location, "pathname" | "search" | "hash">,
  history: Pick<History, "replaceState" | "state">,
): string | undefined {
  const query = new URLSearchParams(location.search);
  const word = query.get(name);
  if (word === null) return undefined;
  query.delete(name);
  const rest = query.toString();
  history.replaceState(history.state, "", location.pathname + (rest === "" ? "" : `?${rest}`) + location.hash);
  return sentences.get(word);
}
