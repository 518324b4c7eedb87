/**
 * What other programs are told: alive, ready, and the metrics.
 *
 * Seen red: with `require=store` not read, with a draining node called ready, and with a forwarded request taken for
 * one of this machine.
 */
import { expect, it } from "vitest";
import { openHttp } from "./httpWorld.ts";

const degraded = { reason: "store_unavailable", since: 1_000 };

it("says that it is alive, its mode, its store and its version, also while it drains", async () => {
  await using http = await openHttp();
  http.health.readiness = "draining";
  const answer = await http.ask("GET", "/healthz");
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    { status: "ok", mode: "local", version: "0.1.0", store: "sqlite" },
  ]);
});

it("[OP-4] is ready without its store, since it can open pages; who needs the store asks for it", async () => {
  await using http = await openHttp();
  http.health.degraded = degraded;
  const plain = await http.ask("GET", "/readyz");
  const strict = await http.ask("GET", "/readyz?require=store");
  expect([plain.statusCode, plain.json()]).toEqual([200, { status: "ready", degraded }]);
  expect([strict.statusCode, strict.json()]).toEqual([503, { status: "degraded", degraded }]);
});

it.each(["starting", "draining"] as const)("[CL-9] is not ready while it is %s", async (readiness) => {
  await using http = await openHttp();
  http.health.readiness = readiness;
  const answer = await http.ask("GET", "/readyz");
  expect([answer.statusCode, answer.json()]).toEqual([503, { status: readiness }]);
});

it("gives its metrics to this machine, and through a proxy or under another name to admins only", async () => {
  await using http = await openHttp();
  const own = await http.ask("GET", "/metrics");
  expect([own.statusCode, own.body]).toEqual([200, "holdfast_build_info 1\n"]);
  for (const header of ["x-forwarded-for", "forwarded", "x-real-ip"]) {
    const answer = await http.ask("GET", "/metrics", { headers: { [header]: "192.0.2.7" } });
    expect([header, answer.statusCode]).toEqual([header, 401]);
  }
  const remote = await http.app.inject({
    method: "GET",
    url: "/metrics",
    headers: { host: "127.0.0.1:4400" },
    remoteAddress: "192.0.2.7",
  });
  expect(remote.statusCode).toBe(401);
});
