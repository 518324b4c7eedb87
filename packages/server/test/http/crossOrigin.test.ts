/** Pages of other origins: the configured ones call methods as they open sockets, all others get nothing (AU-5). */
import { describe, expect, it } from "vitest";
import { openHttp, ownOrigin } from "./httpWorld.ts";

const app = "http://localhost:5173";
const asks = {
  "access-control-request-method": "POST",
  "access-control-request-headers": "authorization,content-type",
};

describe("a call from another origin", () => {
  it("is answered for a configured one, by name, preflight first", async () => {
    await using http = await openHttp();
    const preflight = await http.ask("OPTIONS", "/api/note.list", { headers: { origin: app, ...asks } });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers).toMatchObject({
      "access-control-allow-origin": app,
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "authorization, content-type, idempotency-key",
      vary: "origin",
    });
    const answer = await http.ask("POST", "/api/note.list", { headers: { origin: app }, body: {} });
    expect(answer.statusCode).toBe(401);
    // Also a refusal can be read there, or a page could not say what is wrong.
    expect(answer.headers["access-control-allow-origin"]).toBe(app);
    expect(answer.headers["access-control-expose-headers"]).toContain("idempotency-key");
    expect(answer.headers["cross-origin-resource-policy"]).toBe("cross-origin");
  });

  it.each([["https://evil.example"], ["null"], [`${app}.evil.example`], ["http://localhost:5174"]])(
    "[W1] is refused for %s, which is told nothing that a browser would pass on",
    async (origin) => {
      await using http = await openHttp();
      for (const method of ["OPTIONS", "POST", "GET"]) {
        const answer = await http.ask(method, "/api/note.list", {
          headers: { origin, ...asks },
          ...(method === "POST" && { body: {} }),
        });
        expect(answer.statusCode).toBe(403);
        expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      }
    },
  );

  it("says nothing of other origins where none asked", async () => {
    await using http = await openHttp();
    const answer = await http.ask("GET", "/healthz", {});
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect(answer.headers["vary"]).toBe("origin");
    const own = await http.ask("OPTIONS", "/api/note.list", { headers: { origin: ownOrigin, ...asks } });
    expect(own.statusCode).toBe(404);
  });
});
