/**
 * What clients tell of repeats and gaps is counted once, over all of their connections.
 *
 * Seen red: with each report added whole, and with the first report of a stranger added.
 */
import { expect, it } from "vitest";
import { createToldFigures } from "../../src/observe/toldFigures.ts";

const figures = (duplicatesSuppressed: number, gapsRepaired = 0) => ({ duplicatesSuppressed, gapsRepaired });

it("[ST-16] adds what is new in each report of a client, whichever connection it comes by", () => {
  const sums = createToldFigures();
  sums.begin("a", undefined);
  sums.told("a", figures(2, 1));
  sums.told("a", figures(2, 1));
  sums.begin("a", figures(5, 1));
  sums.told("a", figures(6, 3));
  expect(sums).toMatchObject(figures(6, 3));
});

it("[ST-16] counts nothing of what a client says that was elsewhere before, and all that follows", () => {
  const sums = createToldFigures();
  sums.begin("b", figures(40, 4));
  sums.told("b", figures(41, 4));
  expect(sums).toMatchObject(figures(1, 0));
});

it("[I6][X14] forgets the longest silent, and believes no report without bound", () => {
  const sums = createToldFigures(2);
  for (const client of ["a", "b", "c"]) sums.begin(client, undefined);
  sums.told("a", figures(9));
  expect(sums.duplicatesSuppressed).toBe(0);
  sums.told("c", figures(Number.MAX_SAFE_INTEGER));
  expect(sums.duplicatesSuppressed).toBe(100_000);
  sums.told("c", figures(3));
  expect(sums.duplicatesSuppressed).toBe(100_003);
});
