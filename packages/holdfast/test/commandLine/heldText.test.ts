/** What is written before it is known whether the command starts. */
import { expect, it } from "vitest";
import { heldTextsMax, holdText } from "../../src/commandLine/heldText.ts";

function makeHeld() {
  const written: string[] = [];
  return { written, held: holdText({ isTTY: true, write: (text) => written.push(text) }) };
}

it("writes what it held in order, then everything at once", () => {
  const { written, held } = makeHeld();
  expect(held.isTTY).toBe(true);
  held.write("first");
  held.write("second");
  expect(written).toEqual([]);
  held.release();
  expect(written).toEqual(["first", "second"]);
  held.write("third");
  held.release();
  expect(written).toEqual(["first", "second", "third"]);
});

it("holds no more than its bound", () => {
  const { written, held } = makeHeld();
  for (let n = 1; n < heldTextsMax; n += 1) held.write("line");
  expect(written).toHaveLength(0);
  held.write("line");
  expect(written).toHaveLength(heldTextsMax);
});
