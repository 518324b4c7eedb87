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
    reach: { host: "127.0.0.1", loopback: true, publicUrl: undefined, tls: undefined },
    port: 0,
    origins: [],
    page: undefined,
    pagePaths: ["/"],
    version: "0.0.0",
    sessionLifeMs: 2_592_000_000,
    signingKeyLifeMs: 7_776_000_000,
    limits: { messagesPerSecond: 200, messagesBurst: 400, connectionsPerPrincipal: 50 },
  });
});

test("[AD-1] the burst of openings follows the connections that a principal may hold", () => {
  expect(settingsOf(least).admission).toMatchObject({ openingsPerSecond: 500, openingsPerPrincipalBurst: 60 });
  const raised = { limits: { connectionsPerPrincipal: 5_000 } };
  expect(settingsOf({ ...least, ...raised }).admission.openingsPerPrincipalBurst).toBe(5_010);
});

test("folders may be addresses", () => {
  const folders = { data: pathToFileURL("/made/up data"), page: pathToFileURL("/made/up page/") };
  expect(settingsOf({ app, ...folders })).toMatchObject({ data: "/made/up data", page: "/made/up page/" });
});

test.each<[object, RegExp]>([
  [{ app: "./app.ts" }, /^app is string: give new URL/],
  [{ mode: "development", authenticate: () => null }, /^mode is development, .* authenticate/],
  [{ host: "0.0.0.0" }, /^host is "0\.0\.0\.0", which other machines reach/],
  [{ retention: { workMs: 1_000 } }, /^retention\.workMs is 1000/],
  [{ retention: { workBytesMax: 1.5 } }, /^retention\.workBytesMax is 1\.5/],
  [{ port: 70_000 }, /^port is 70000/],
  [{ port: Number.NaN }, /^port is NaN/],
  [{ sessionLifeMs: 9_999 }, /^sessionLifeMs is 9999/],
  [{ signingKeyLifeMs: 60_000 }, /^signingKeyLifeMs is 60000/],
  [{ limits: { messagesPerSecond: 0 } }, /^limits\.messagesPerSecond is 0/],
  [{ limits: { connectionsPerPrincipal: 1.5 } }, /^limits\.connectionsPerPrincipal is 1\.5/],
  [{ admission: { openingsPerSecond: 0 } }, /^admission\.openingsPerSecond is 0/],
  [
    { admission: { storeProbeMsMax: 6_000 } },
    /^admission: storeProbeMsMax \(6000\) is more than storeProbeEveryMs \(5000\)/,
  ],
  [{ admission: { socketsWithoutHelloMax: 50 } }, /^admission: socketsWithoutHelloPerAddressMax \(100\)/],
  [{ admission: { openingsPerPrincipalBurst: 49 } }, /^admission: connectionsPerPrincipal \(50\)/],
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
