/**
 * Whoever is refused for now is told when to come back, over HTTP as over a socket (CL-4).
 *
 * Seen red: with the one time that a verdict names told to all, and with a 429 without any.
 */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { restMs } from "../../src/auth/signingKeys.ts";
import { openHttp, portOf } from "./httpWorld.ts";

test("[CL-4] [AU-4] a crowd whom nobody can judge now comes back one after the other, at the budget", async () => {
  await using http = await openHttp();
  http.world.store = "fails";
  const header = Buffer.from(JSON.stringify({ alg: "EdDSA", kid: "of another node" })).toString("base64url");
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      http.ask("POST", "/api/note.list", { body: {}, headers: { authorization: `Bearer hfk_${header}.e30.c2ln` } }),
    ),
  );
  const told = answers.map((answer) => [answer.statusCode, answer.json().code, answer.headers["retry-after"]]);
  expect(new Set(told.map(String))).toEqual(new Set([`503,auth_unavailable,${Math.ceil(restMs / 1_000) + 1}`]));
  const after = answers.map((answer) => Number(answer.json().retryAfter)).sort((one, other) => one - other);
  expect(after).toEqual(Array.from({ length: 20 }, (_, index) => restMs + 2 * (index + 1)));
});

test("[CL-4] who asks too much at once on one connection is told when", async () => {
  await using http = await openHttp("local", true);
  const port = portOf(http.app);
  const request = `GET /api/session HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  const answers = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request.repeat(12)));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (part) => {
      text += part;
      if (text.split("HTTP/1.1 ").length > 12) socket.destroy();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
  const refused = answers.split("HTTP/1.1 ").filter((answer) => answer.startsWith("429"));
  expect(refused.length).toBeGreaterThan(0);
  for (const answer of refused) expect(answer).toMatch(/^retry-after: 1\r$/m);
});
