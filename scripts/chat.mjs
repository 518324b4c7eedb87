/** `npm run proof:chat`: conversations through bad days at their full length: sign-ins that end, late links, 30 reloads, no network. */
import { runProof } from "./proof.mjs";

await runProof({
  title: "conversations through bad days",
  file: "e2e/test/chat",
  environment: { LONG: "1", LATE_MS: "5000", RELOADS: "30" },
  msMax: 15 * 60_000,
  needsBrowser: true,
});
