/** What a browser's cookies are called: by the address that it knows, not by the port that a node listens on. */
import { describe, expect, it } from "vitest";
import { browserCookieName, cookieName, readCookies, ticketCookieName } from "../../src/auth/cookies.ts";

const nodes = [4401, 4402].map((port) => ({ port, https: false, publicUrl: "http://127.0.0.1:8080" }));

describe("cookies of several nodes behind one address", () => {
  it("[AU-5] have one name on all of them: whoever signed in on one is signed in on the other", () => {
    for (const nameOf of [cookieName, browserCookieName, ticketCookieName])
      expect(new Set(nodes.map(nameOf)).size).toBe(1);
    const [, other] = nodes;
    expect(other && readCookies(["Cookie", "holdfast_session_8080=s"], other)).toEqual({ session: "s" });
  });

  it("[W4] [AU-5] carry our own port where there is no other address, and none on https", () => {
    expect(cookieName({ port: 4401, https: false })).toBe("holdfast_session_4401");
    expect(cookieName({ port: 4401, https: false, publicUrl: "http://localhost" })).toBe("holdfast_session_80");
    expect(cookieName({ port: 4401, https: true, publicUrl: "https://h.example:8443" })).toBe(
      "__Host-holdfast_session",
    );
  });
});
