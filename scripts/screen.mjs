/** `npm run proof:screen`: from commit to the text in two tabs, 1,000 messages beside ten busy agents, in about three minutes. */
import { runProof } from "./proof.mjs";

await runProof({
  title: "from commit to the screen",
  file: "e2e/test/screen.test.ts",
  environment: { SCREEN: "whole" },
  msMax: 10 * 60_000,
  needsBrowser: true,
});
