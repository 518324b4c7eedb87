/** What a person is told when a sign-in code does not work. */
import { afterEach, expect, it, vi } from "vitest";
import { signInDoor } from "../../src/shared/http/signIn.ts";

afterEach(() => void vi.unstubAllGlobals());

function answer(status: number, problem: object): void {
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(problem), { status }));
}

it("passes on the server's own words for a code that is refused", async () => {
  answer(401, { detail: "This sign-in code does not work.", code: "unauthenticated" });
  expect(await signInDoor.redeem("x")).toEqual({ kind: "refused", detail: "This sign-in code does not work." });
});

it.each([
  [{ retryAfter: 41_300, detail: "… Wait `retryAfter`, then try again." }, "42 s"],
  [{ detail: "a proxy's own" }, "60 s"],
])("says after too many wrong codes when to try again, in words that need no manual: %j", async (problem, when) => {
  answer(429, problem);
  const detail = `Too many wrong sign-in codes came from here. Try again in ${when}.`;
  expect(await signInDoor.redeem("x")).toEqual({ kind: "refused", detail });
});

it("takes a server that fails for one that cannot be reached", async () => {
  answer(503, { detail: "The store does not answer." });
  expect(await signInDoor.redeem("x")).toEqual({ kind: "unreachable", detail: "The store does not answer." });
});
