import { expect, test } from "vitest";
import { openHttp, sessionCookie } from "./httpWorld.ts";

test("weather is for who is signed in, of the known kinds, and says how many connections it met", async () => {
  await using http = await openHttp();
  const ask = (body: unknown, cookie?: string) =>
    http.ask("POST", "/api/weather", { body, ...(cookie === undefined ? {} : { cookie }) });
  expect((await ask({ weather: "cut" })).statusCode).toBe(401);
  const signedIn = await http.ask("POST", "/api/session", { body: { code: await http.world.auth.signInCode() } });
  const cookie = `${sessionCookie}=${signedIn.cookies[0]?.value}`;
  expect((await ask({ weather: "cut" }, cookie)).json()).toEqual({ connections: 1 });
  const wrong = await ask({ weather: "hail" }, cookie);
  expect([wrong.statusCode, wrong.json().code]).toEqual([422, "invalid_params"]);
  expect(http.weathered).toEqual(["owner cut"]);
});
