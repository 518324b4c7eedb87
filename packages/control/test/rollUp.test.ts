/** What is joined for a reader that catches up. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { threadRollUp } from "../src/rollUp.ts";

const output = (bytes: Uint8Array, terminal = "t", command = "c") => ({
  terminal,
  command,
  data: Buffer.from(bytes).toString("base64"),
});

test("[ST-12] joined output is the bytes one after the other, whatever their padding", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array(), { minLength: 2 }), (parts) => {
      const joined = threadRollUp.join(
        "terminal.output",
        parts.map((bytes) => output(bytes)),
      ) as { data: string };
      expect(Buffer.from(joined.data, "base64")).toEqual(Buffer.concat(parts));
    }),
  );
});

test("[ST-12] another terminal, command, message or event stays apart", () => {
  const bytes = Buffer.from("x");
  const outputs = [
    output(bytes),
    output(bytes, "u"),
    output(bytes, "t", "d"),
    { ...output(bytes), command: undefined },
  ];
  expect(new Set(outputs.map((data) => threadRollUp.key("terminal.output", data))).size).toBe(4);
  const text = (message: string) => ({ command: "c", message, text: "a" });
  expect(threadRollUp.key("text.delta", text("m"))).not.toBe(threadRollUp.key("text.delta", text("n")));
  expect(threadRollUp.join("text.delta", [text("m"), text("m")])).toEqual({ command: "c", message: "m", text: "aa" });
  expect(threadRollUp.key("command.finished", {})).toBeUndefined();
});
