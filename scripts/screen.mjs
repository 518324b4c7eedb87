/**
 * `npm run proof:screen`: from commit to the text in two tabs, 1,000 messages beside ten busy agents; then an answer of
 * 100 KB at 100 tokens a second. About eight minutes; nothing else may run beside it.
 */
import { runProof } from "./proof.mjs";

await runProof({
  title: "from commit to the screen",
  file: ["e2e/test/screen.test.ts", "e2e/test/longAnswer.test.ts"],
  environment: { SCREEN: "whole" },
  msMax: 25 * 60_000,
  needsBrowser: true,
});
