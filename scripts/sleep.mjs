/** `npm run proof:sleep`: tabs of a real browser whose renderers are stopped for 100 s lose and repeat nothing, nor do they in the middle of an answer. */
import { runProof } from "./proof.mjs";

await runProof({
  title: "a sleep of 100 s",
  file: "e2e/test/sleep",
  environment: { SLEEP_MS: "100000" },
  msMax: 10 * 60_000,
  needsBrowser: true,
});
