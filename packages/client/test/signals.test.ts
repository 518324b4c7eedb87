/** Signals as a session hears and says them: now or never. */
import { expect, it, vi } from "vitest";
import { createSession } from "../src/index.ts";
import { reader, scenario } from "./support/scenario.ts";

it("[ST-17] a signal of a stream that is read is heard with its sender, others are not, and nothing is kept", async () => {
  const { clock, server, session } = scenario();
  const heard: unknown[] = [];
  const stop = session.onSignal((signal) => void heard.push(signal));
  const room = reader(session, "room");
  await clock.advance(100);
  const typing = { type: "signal", signal: "typing", data: { to: "ada" }, from: "bob" };
  server.send(server.last, { ...typing, stream: "room" }, { ...typing, stream: "other" });
  await clock.advance(100);
  expect(heard).toEqual([{ stream: "room", signal: "typing", data: { to: "ada" }, from: "bob" }]);
  session.signal("room", "typing", 1);
  session.signal("room", "typing", 2);
  await clock.advance(100);
  expect(server.last.received.filter(({ type }) => type === "signal")).toMatchObject([{ data: 2 }]);
  server.cut();
  session.signal("room", "typing", 3);
  await clock.advance(10_000);
  expect(server.last.received.filter(({ type }) => type === "signal")).toEqual([]);
  stop();
  server.send(server.last, { ...typing, stream: "room" });
  room.stop();
  await clock.advance(100);
  expect(heard).toHaveLength(1);
});

it("without an address a page's session goes to its own server, and a program is told what is missing", () => {
  expect(() => createSession({ clientName: "test" })).toThrow(/`url` is needed/);
  vi.stubGlobal("location", { origin: "https://board.example:8443" });
  const opened: string[] = [];
  const transport = {
    open: (url: string) => {
      opened.push(url);
      return { send: () => {}, close: () => {} };
    },
  };
  void createSession({ clientName: "test", transport }).close();
  vi.unstubAllGlobals();
  expect(opened).toEqual(["wss://board.example:8443/ws"]);
});
