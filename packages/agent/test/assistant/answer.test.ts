/** One answer: attempts, deadlines, one end; on a clock that a test moves. */
import { describe, expect, it } from "vitest";
import {
  type AnswerEnd,
  answer,
  answerCharsMax,
  answerLimits,
  attemptsMax,
  retryAfterMsMax,
  retryWaitMs,
} from "../../src/assistant/answer.ts";
import { type ChatModel, ModelError, type ModelPart } from "../../src/assistant/chatModel.ts";
import { simClock } from "./simClock.ts";

type Step = ModelPart | ModelError | { readonly waitMs: number } | "hang";
const text = (said: string): ModelPart => ({ kind: "text", text: said });
const end: ModelPart = { kind: "end", usage: { inputTokens: 1, outputTokens: 2 } };
const never = new Promise<never>(() => {});

/** Answers by one script an attempt; the last one again and again. */
function begin(...scripts: (readonly Step[])[]) {
  const clock = simClock();
  const stop = new AbortController();
  const written: string[] = [];
  const told: string[] = [];
  const aborted: boolean[] = [];
  let attempts = 0;
  const model: ChatModel = {
    async *answer(_turns, signal) {
      const script = scripts[Math.min(attempts, scripts.length - 1)] ?? [];
      const index = attempts;
      attempts += 1;
      aborted[index] = false;
      signal.addEventListener("abort", () => {
        aborted[index] = true;
      });
      for (const step of script) {
        if (step === "hang") await never;
        else if (step instanceof ModelError) throw step;
        else if ("waitMs" in step) await new Promise<void>((done) => void clock.after(step.waitMs, done));
        else yield step;
      }
    },
  };
  let ended: AnswerEnd | undefined;
  const parts = {
    model,
    clock,
    random: { fraction: () => 0 },
    limits: answerLimits,
    write: async (piece: string) => void written.push(piece),
    tell: (progress: string) => void told.push(progress),
  };
  void answer([{ role: "user", text: "?" }], parts, stop.signal).then((one) => {
    ended = one;
  });
  return {
    clock,
    stop,
    written,
    told,
    aborted,
    attempts: () => attempts,
    ended: () => ended,
  };
}

const busy = (retryAfterMs?: number): ModelError => new ModelError("it is busy", true, retryAfterMs);

describe("an answer", () => {
  it("is written as it comes, and ends with what it cost", async () => {
    const one = begin([text("a"), { waitMs: 100 }, text("b"), end]);
    await one.clock.advance(99);
    expect(one.written).toEqual(["a"]);
    await one.clock.advance(1);
    expect(one.written).toEqual(["a", "b"]);
    expect(one.ended()).toEqual({ kind: "completed", usage: { inputTokens: 1, outputTokens: 2 } });
    expect(one.clock.timers).toBe(0);
  });

  it("[F74] that does not begin, falls silent, or takes too long ends as failed, and what was written stays", async () => {
    const late = begin(["hang"]);
    await late.clock.advance(answerLimits.firstTokenMsMax - 1);
    expect(late.ended()).toBeUndefined();
    await late.clock.advance(1);
    expect(late.ended()).toEqual({ kind: "failed", reason: "the model did not begin within 60 s" });
    expect(late.aborted).toEqual([true]);

    const silent = begin([text("a"), { waitMs: 59_000 }, text("b"), "hang"]);
    await silent.clock.advance(59_000 + answerLimits.betweenTokensMsMax);
    expect(silent.written).toEqual(["a", "b"]);
    expect(silent.ended()).toEqual({ kind: "failed", reason: "the model was silent for 60 s amid its answer" });

    const endless = begin(Array.from({ length: 2_000 }, () => [{ waitMs: 30_000 }, text("x")] as const).flat());
    await endless.clock.advance(answerLimits.answerMsMax);
    expect(endless.ended()).toEqual({ kind: "failed", reason: "the answer took longer than 900 s" });
    expect(endless.written).toHaveLength(30);
  });

  it("stops at once when it is asked to, also where the model ignores that", async () => {
    const one = begin([text("half"), "hang"]);
    await one.clock.advance(10);
    one.stop.abort();
    await one.clock.advance(0);
    expect(one.ended()).toEqual({ kind: "stopped" });
    expect(one.written).toEqual(["half"]);
    expect(one.clock.timers).toBe(0);
  });

  it("of a model that does not stop by itself is ended", async () => {
    const one = begin(Array.from({ length: 20 }, () => text("x".repeat(answerCharsMax / 10))));
    await one.clock.advance(0);
    expect(one.ended()).toMatchObject({ kind: "failed" });
  });

  it("without a word is no answer", async () => {
    const one = begin([{ ...end, remark: "the model stopped at its limit of tokens" } as ModelPart]);
    await one.clock.advance(0);
    expect(one.ended()).toMatchObject({
      kind: "failed",
      reason: "the model ended without a word: the model stopped at its limit of tokens",
      usage: { inputTokens: 1 },
    });
  });
});

describe("another attempt", () => {
  it("[F76] is made while nothing was written, after a wait that doubles, and no more than so often", async () => {
    const one = begin([busy()]);
    await one.clock.advance(0);
    expect(one.attempts()).toBe(1);
    expect(one.told).toEqual(["it is busy; trying again in 1 s"]);
    await one.clock.advance(retryWaitMs);
    expect(one.attempts()).toBe(2);
    await one.clock.advance(2 * retryWaitMs - 1);
    expect(one.attempts()).toBe(2);
    await one.clock.advance(1);
    expect(one.attempts()).toBe(3);
    await one.clock.advance(1_000_000);
    expect(one.attempts()).toBe(attemptsMax);
    expect(one.ended()).toEqual({ kind: "failed", reason: "it is busy" });
  });

  it("waits as long as the server asks, and says so", async () => {
    const one = begin([busy(7_000)], [text("a"), end]);
    await one.clock.advance(6_999);
    expect(one.attempts()).toBe(1);
    expect(one.told).toEqual(["it is busy; trying again in 7 s"]);
    await one.clock.advance(1);
    expect(one.ended()).toMatchObject({ kind: "completed" });
    expect(one.written).toEqual(["a"]);
  });

  it("is not made where the server asks for more patience than a person has", async () => {
    const one = begin([busy(retryAfterMsMax + 1)]);
    await one.clock.advance(0);
    expect(one.ended()).toEqual({ kind: "failed", reason: "it is busy; it asks to wait 61 s" });
  });

  it("[F76] is never made once text was visible: nothing is repeated", async () => {
    const one = begin([text("half"), busy()], [text("half of it again"), end]);
    await one.clock.advance(1_000_000);
    expect(one.attempts()).toBe(1);
    expect(one.written).toEqual(["half"]);
    expect(one.ended()).toEqual({ kind: "failed", reason: "it is busy" });
  });

  it("is not made where it cannot help, and ends when a person stops it", async () => {
    const wrong = begin([new ModelError("wrong key", false)]);
    await wrong.clock.advance(1_000_000);
    expect(wrong.attempts()).toBe(1);
    const one = begin([busy(10_000)]);
    await one.clock.advance(5_000);
    one.stop.abort();
    await one.clock.advance(0);
    expect(one.ended()).toEqual({ kind: "stopped" });
    expect(one.clock.timers).toBe(0);
  });
});
