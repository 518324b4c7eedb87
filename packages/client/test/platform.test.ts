/**
 * The platform's socket, where the platform shows less of it than browsers do.
 *
 * Seen red: [F15] with `readyState` asked before each frame, which an adapter without that field answers by nothing.
 */
import { afterEach, expect, it, vi } from "vitest";
import { platformTransport } from "../src/shell/platformNetwork.ts";

afterEach(() => void vi.unstubAllGlobals());

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
