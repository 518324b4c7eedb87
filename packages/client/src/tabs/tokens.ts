/**
 * Tokens for a session whose `getToken` is in its tabs (CL-7): one question at a time, to one tab at a time.
 *
 * Who is asked and dies, or has no answer in `tokenAnswerMsMax`, is passed over; with nobody left the question
 * waits for the next tab. A tab that cannot reach its provider says so, and the session's own backoff asks again.
 */
import { type Clock, ProtocolError, type TimerHandle } from "@holdfast/protocol";
import type { TokenOutcome } from "../core/connectionState.ts";
import type { TokenAsked, ToTab } from "./messages.ts";

/** A hidden tab may be asleep: then another one is asked. */
const tokenAnswerMsMax = 15_000;

interface Asked {
  say(message: ToTab): void;
}

interface Question {
  readonly request: number;
  readonly why: TokenAsked;
  readonly resolve: (token: string | null) => void;
  readonly reject: (error: unknown) => void;
  readonly passed: Set<Asked>;
  asked: Asked | undefined;
  timer: TimerHandle | undefined;
}

export interface Tokens {
  readonly get: (why: TokenAsked) => Promise<string | null>;
  answered(request: number, outcome: TokenOutcome): void;
  joined(): void;
  left(tab: Asked): void;
}

/** @param tabs who may be asked, the best first */
export function makeTokens(clock: Clock, tabs: () => readonly Asked[]): Tokens {
  let requests = 0;
  let question: Question | undefined;

  function ask(): void {
    if (question === undefined || question.asked !== undefined) return;
    const { request, why, passed } = question;
    const tab = tabs().find((candidate) => !passed.has(candidate));
    if (tab === undefined) {
      // All were asked in vain: the session's backoff decides when to try again.
      if (passed.size > 0) settle({ kind: "unreachable" });
      return;
    }
    question.asked = tab;
    question.timer = clock.after(tokenAnswerMsMax, () => passOver(tab));
    tab.say({ kind: "askToken", request, why });
  }

  function passOver(tab: Asked): void {
    if (question?.asked !== tab) return;
    clock.cancel(question.timer);
    question.asked = undefined;
    question.passed.add(tab);
    ask();
  }

  function settle(outcome: TokenOutcome): void {
    const settled = question;
    question = undefined;
    if (settled === undefined) return;
    clock.cancel(settled.timer);
    if (outcome.kind === "token") settled.resolve(outcome.token);
    else if (outcome.kind === "signedOut") settled.resolve(null);
    else settled.reject(new ProtocolError("auth_unavailable", "no tab could get a token"));
  }

  return {
    get(why) {
      requests += 1;
      return new Promise((resolve, reject) => {
        settle({ kind: "unreachable" });
        question = { request: requests, why, resolve, reject, passed: new Set(), asked: undefined, timer: undefined };
        ask();
      });
    },
    answered(request, outcome) {
      if (request === question?.request) settle(outcome);
    },
    joined: ask,
    left: passOver,
  };
}
