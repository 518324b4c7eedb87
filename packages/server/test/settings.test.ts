/** What an app may leave out, and what it is told when it contradicts itself. */
import { pathToFileURL } from "node:url";
import { expect, test, vi } from "vitest";
import { type ServerOptions, StartError } from "../src/index.ts";
import { settingsOf } from "../src/settings.ts";

const app = new URL("./support/notesApp.ts", import.meta.url);
const least = { app, data: "/made/up" };

test("app and data are enough", () => {
  expect(settingsOf(least)).toMatchObject({
    ...least,
    mode: "local",
    host: "127.0.0.1",
    port: 0,
    origins: [],
    page: undefined,
    pagePaths: ["/"],
    version: "0.0.0",
    sessionLifeMs: 2_592_000_000,
    limits: { messagesPerSecond: 200, messagesBurst: 400, connectionsPerPrincipal: 50 },
  });
});

test("folders may be addresses", () => {
  const folders = { data: pathToFileURL("/made/up data"), page: pathToFileURL("/made/up page/") };
  expect(settingsOf({ app, ...folders })).toMatchObject({ data: "/made/up data", page: "/made/up page/" });
});

test.each<[object, RegExp]>([
  [{ app: "./app.ts" }, /^app is string: give new URL/],
  [{ mode: "development", authenticate: () => null }, /^mode is development, .* authenticate/],
  [{ host: "0.0.0.0" }, /^host is "0\.0\.0\.0": only loopback/],
  [{ port: 70_000 }, /^port is 70000/],
  [{ port: Number.NaN }, /^port is NaN/],
  [{ sessionLifeMs: 9_999 }, /^sessionLifeMs is 9999/],
  [{ limits: { messagesPerSecond: 0 } }, /^limits\.messagesPerSecond is 0/],
  [{ limits: { connectionsPerPrincipal: 1.5 } }, /^limits\.connectionsPerPrincipal is 1\.5/],
  [{ pagePaths: ["cards"] }, /^pagePaths: "cards" is no path/],
  [{ pagePaths: ["/cards*"] }, /^pagePaths: "\/cards\*" is no path/],
  [{ pagePaths: ["/a/*/b"] }, /is no path/],
])("%j is refused by a sentence that names it", (wrong, sentence) => {
  const start = () => settingsOf({ ...least, ...wrong } as ServerOptions);
  expect(start).toThrow(StartError);
  expect(start).toThrow(sentence);
});

test("[AU-6] development mode is refused where NODE_ENV says production", () => {
  vi.stubEnv("NODE_ENV", "production");
  expect(() => settingsOf({ ...least, mode: "development" })).toThrow(/NODE_ENV is production/);
  vi.unstubAllEnvs();
});
