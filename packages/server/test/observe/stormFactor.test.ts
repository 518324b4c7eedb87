/** Seen red: with the window's first step kept for ever, and with attempts counted once a client. */
import { expect, it } from "vitest";
import { createStormFactor } from "../../src/observe/stormFactor.ts";

it("[F01] is 0 with nobody, 1 where each client comes once, and n where each comes n times", () => {
  const storm = createStormFactor();
  expect(storm.at(0)).toBe(0);
  for (let client = 0; client < 50; client += 1) storm.attempt(`client ${client}`, client * 100);
  expect(storm.at(10_000)).toBe(1);
  for (let again = 0; again < 2; again += 1)
    for (let client = 0; client < 50; client += 1) storm.attempt(`client ${client}`, 10_000 + client);
  expect(storm.at(20_000)).toBe(3);
});

it("[F01] forgets what is older than a minute", () => {
  const storm = createStormFactor();
  for (let again = 0; again < 30; again += 1) storm.attempt("one", 5_000);
  storm.attempt("other", 40_000);
  expect(storm.at(59_999)).toBe(15.5);
  expect(storm.at(69_999)).toBe(1);
  expect(storm.at(200_000)).toBe(0);
});

it("[F01] a crowd beyond what is remembered makes it larger, never smaller", () => {
  const storm = createStormFactor();
  for (let client = 0; client < 40_000; client += 1) storm.attempt(`client ${client}`, 1);
  expect(storm.at(1)).toBe(2);
});
