/** Asks the server for weather on this browser's own connection: over HTTP, since the weather may swallow an answer. */
import { detailOf } from "../../shared/http/signIn.ts";

export type Weather = "fair" | "slow" | "halfOpen" | "cut" | "expire";

const answerMsMax = 10_000;

/** How many connections it met. Throws where the server refuses, or does not answer. */
export async function askForWeather(weather: Weather): Promise<number> {
  const response = await fetch("/api/weather", {
    method: "POST",
    cache: "no-store",
    credentials: "same-origin",
    signal: AbortSignal.timeout(answerMsMax),
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ weather }),
  });
  if (!response.ok) throw new Error(await detailOf(response));
  const { connections } = (await response.json()) as { readonly connections: number };
  return connections;
}
