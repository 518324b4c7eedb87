/**
 * The platform's socket, where the platform shows less of it than browsers do; and its HTTP, which is loaded late.
 *
 * Seen red: [AU-7] without `credentials`, and with the path at another origin; [CL-10] with the loading kept from
 * the first question on, and outside the `try`; [F15] with `readyState` asked before each frame, which an adapter
 * without that field answers by nothing.
 */
import { afterEach, expect, it, vi } from "vitest";
import { makeCredentials } from "../src/shell/credentials.ts";
import { platformHttp, platformTransport } from "../src/shell/platformNetwork.ts";

const lateFile = "../src/shell/platformHttp.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock(lateFile);
});

/** A `WebSocket` by its events alone: its state is never told. */
class Stateless {
  static readonly OPEN = 1;
  static readonly made: Stateless[] = [];
  readonly sent: string[] = [];
  onopen?: () => void;
  onmessage?: (event: { readonly data: unknown }) => void;
  onclose?: (event: { readonly code: number; readonly reason: string }) => void;
  constructor() {
    Stateless.made.push(this);
  }
  send(frame: string): void {
    this.sent.push(frame);
  }
  close(): void {}
}

it("[F15] sends and hears by events alone: no field of the platform's socket is believed", () => {
  vi.stubGlobal("WebSocket", Stateless);
  const heard: string[] = [];
  const socket = platformTransport.open("ws://server.test/ws", ["holdfast.v1"], {
    opened: () => heard.push("opened"),
    received: (frame) => heard.push(frame),
    closed: (code) => heard.push(`closed ${code}`),
  });
  const [made] = Stateless.made;
  // What comes too early is dropped, as a socket that is not open does.
  socket.send("early");
  made?.onopen?.();
  socket.send("hello");
  made?.onmessage?.({ data: "welcome" });
  made?.onmessage?.({ data: new ArrayBuffer(1) });
  made?.onclose?.({ code: 1006, reason: "" });
  socket.send("late");
  expect(made?.sent).toEqual(["hello"]);
  expect(heard).toEqual(["opened", "welcome", "closed 1006"]);
});

it("[AU-7] asks at the socket's origin with the browser's cookies, and reads what is no JSON as nothing", async () => {
  const asked: unknown[] = [];
  vi.stubGlobal("fetch", async (url: URL, { method, credentials, body }: RequestInit) => {
    asked.push([url.href, method, credentials, body]);
    return new Response(method === "POST" ? '{"user":null}' : "<html>", { status: 203 });
  });
  const ask = platformHttp(() => "wss://server.test:8443/ws?a=1");
  expect(await ask(true)).toEqual({ kind: "signedOut" });
  expect(await ask(false)).toEqual({ kind: "signedIn" });
  expect(asked).toEqual([
    ["https://server.test:8443/api/session/refresh", "POST", "include", "{}"],
    ["https://server.test:8443/api/session", "GET", "include", undefined],
  ]);
});

it("[CL-10] code that cannot be loaded is a server that does not answer, and is asked for again", async () => {
  vi.stubGlobal("fetch", async () => new Response('{"user":{}}'));
  const credentials = makeCredentials(
    undefined,
    platformHttp(() => "ws://server.test/ws"),
    () => true,
  );
  vi.doMock(lateFile, () => {
    throw new Error("no network");
  });
  expect(await credentials.ask("expiring", undefined)).toEqual({ kind: "unreachable" });
  vi.doUnmock(lateFile);
  expect(await credentials.ask("expiring", undefined)).toEqual({ kind: "signedIn" });
});
