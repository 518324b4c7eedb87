/** Puts a run of real processes before the judge, and counts every breach instead of stopping at the first. */
import { createJudge, type JudgeReport } from "../judge/judge.ts";
import { contentFold } from "./content.ts";
import { type HistoryParts, historyOf } from "./history.ts";

export function judgeHistory(parts: HistoryParts, isHealed: boolean): JudgeReport {
  const judge = createJudge({
    // Told by the report.
    onViolation: () => {},
    foldOf: () => contentFold,
  });
  for (const observation of historyOf(parts)) judge.observe(observation);
  return judge.finish(isHealed);
}
