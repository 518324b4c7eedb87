/** `npm run proof:stories`: server killed, page reloaded, agent's link gone, each ten times in mid-output. */
import { runProof } from "./proof.mjs";

await runProof({
  title: "the stories, ten times each",
  file: "e2e/test/stories.test.ts",
  environment: { STORY_RUNS: "10" },
  msMax: 15 * 60_000,
  needsBrowser: true,
});
