/** `npm run proof:openings`: 10,000 connections that end in each phase of opening leave nothing behind, four times, in about two minutes. */
import { runProof } from "./proof.mjs";

await runProof({
  title: "10,000 connections that end while they open",
  file: "e2e/test/openings.test.ts",
  environment: { OPENINGS: "10000" },
  msMax: 15 * 60_000,
  needsBrowser: false,
});
