/**
 * What people cause over HTTP is folded like everything else: lines follow distinct problems, not requests (I9).
 *
 * Seen red: with the HTTP door and sign-in given the log that does not fold.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createServer } from "../../src/index.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

const times = 8;
const linesMax = 5;

it("[L4] faults, sign-ins and refreshes over HTTP fill no log", async () => {
  const data = await mkdtemp(join(tmpdir(), "holdfast-volume-"));
  cleanUp.push(() => rm(data, { recursive: true }));
  const lines: string[] = [];
  const write = (event: string): void => void lines.push(event);
  const server = await createServer({
    app: new URL("../support/notesApp.ts", import.meta.url),
    data,
    admission: { logLinesPerMinuteMax: linesMax },
    log: { debug: () => {}, info: write, warn: write, error: write },
  });
  cleanUp.push(() => server.close());
  const post = (path: string, body: object, cookie = ""): Promise<Response> =>
    fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.url, ...(cookie !== "" && { cookie }) },
      body: JSON.stringify(body),
    });
  const signedIn = await post("/api/session", { code: await server.signInCode() });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
  for (let turn = 0; turn < times; turn += 1) {
    const answers = await Promise.all([
      post("/api/note.add", { text: "break" }, cookie),
      post("/api/session/refresh", {}, cookie),
      post("/api/weather", { weather: "fair" }, cookie),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([500, 200, 200]);
  }
  const count = (event: string): number => lines.filter((line) => line === event).length;
  expect(count("http.failed")).toBe(1);
  expect(count("operation.failed")).toBe(1);
  expect(count("auth.session_extended")).toBe(linesMax);
  expect(count("weather.made")).toBe(linesMax);
});
