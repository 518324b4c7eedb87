/**
 * Whether the server answers over HTTP while no connection to it comes about: then something in between is at fault.
 *
 * Life cycle: unknown → asked once for each failed attempt from the fourth on (CL-10) → unknown again with the next
 * connection. A browser tells nothing of an upgrade that failed, so this is all that a page can find out.
 */
import type { SessionState } from "@holdfast/client";
import { useEffect, useState } from "react";
import { isAnswering } from "../http/signIn.ts";
import { isLinked } from "./connectionHistory.ts";

const attemptsMin = 4;

export function useHttpAnswers(state: SessionState): boolean | undefined {
  const [answers, setAnswers] = useState<boolean>();
  const asked = state.kind === "waiting" && state.attempt >= attemptsMin ? state.attempt : undefined;
  const linked = isLinked(state);
  useEffect(() => {
    if (linked) setAnswers(undefined);
  }, [linked]);
  useEffect(() => {
    if (asked === undefined) return;
    let isOver = false;
    void isAnswering().then((does) => {
      if (!isOver) setAnswers(does);
    });
    return () => {
      isOver = true;
    };
  }, [asked]);
  return linked ? undefined : answers;
}
