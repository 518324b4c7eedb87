/** Puts a run of real processes before the judge, and counts every breach instead of stopping at the first. */
import { createJudge, type JudgeReport } from "../judge/judge.ts";
import { contentFold } from "./content.ts";
import { type HistoryParts, historyOf } from "./history.ts";

/** A process of a busy machine is scheduled away between the two: 8 ms were seen. */
const attemptLateMsMax = 15;

export function judgeHistory(parts: HistoryParts, isHealed: boolean): JudgeReport {
  const judge = createJudge({
    // Told by the report.
    onViolation: () => {},
    foldOf: () => contentFold,
    attemptLateMsMax,
  });
  for (const observation of historyOf(parts)) judge.observe(observation);
  return judge.finish(isHealed);
}
