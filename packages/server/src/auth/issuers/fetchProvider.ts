/**
 * The transport to providers: the platform's `fetch`, without redirects, cookies or an answer larger than is read.
 *
 * It holds no clock: whoever asks ends the wait by the signal.
 */
import { type AskProvider, ProviderFailed } from "./provider.ts";

export const fetchProvider: AskProvider = async (request, { signal, bytesMax }) => {
  const { url, form, json, authorization, headers } = request;
  const body = json === undefined ? form && new URLSearchParams(form).toString() : JSON.stringify(json);
  const type = json === undefined ? "application/x-www-form-urlencoded" : "application/json";
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    redirect: "error",
    signal,
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": type }),
      ...(authorization === undefined ? {} : { authorization }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: await readUpTo(response, bytesMax) };
};

/** As it comes: what a header says of the length proves nothing. */
async function readUpTo(response: Response, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > bytesMax) throw new ProviderFailed(`its answer is larger than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
