/** What is joined for a reader that catches up. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { joinThreadEvents } from "../src/rollUp.ts";

const output = (bytes: Uint8Array, terminal = "t", command = "c") => ({
  terminal,
  command,
  data: Buffer.from(bytes).toString("base64"),
});

test("[ST-12] joined output is the bytes one after the other, whatever their padding", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (left, right) => {
      const joined = joinThreadEvents("terminal.output", output(left), output(right)) as { data: string };
      expect(Buffer.from(joined.data, "base64")).toEqual(Buffer.concat([left, right]));
    }),
  );
});

test("[ST-12] another terminal, command, message or event stays apart", () => {
  const bytes = Buffer.from("x");
  expect(joinThreadEvents("terminal.output", output(bytes), output(bytes, "u"))).toBeUndefined();
  expect(joinThreadEvents("terminal.output", output(bytes), output(bytes, "t", "d"))).toBeUndefined();
  const text = (message: string) => ({ command: "c", message, text: "a" });
  expect(joinThreadEvents("text.delta", text("m"), text("n"))).toBeUndefined();
  expect(joinThreadEvents("text.delta", text("m"), text("m"))).toEqual({ command: "c", message: "m", text: "aa" });
  expect(joinThreadEvents("command.finished", {}, {})).toBeUndefined();
});
