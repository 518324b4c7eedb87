/**
 * What a method of kind `read` answers, asked once for each set of params: for what no stream tells.
 *
 * An answer to former params is never shown for newer ones. It is not asked again by itself.
 */
import type { ControlMethods } from "@holdfast/control/contract";
import { ProtocolError } from "@holdfast/protocol";
import { useCallback, useEffect, useState } from "react";
import { useLive } from "./LiveData.tsx";

export interface Answer<Result> {
  readonly result: Result | undefined;
  readonly error: ProtocolError | undefined;
  /** After an error. */
  readonly again: () => void;
}

/** @param params undefined: nothing is asked. */
export function useAnswer<Name extends keyof ControlMethods & string>(
  method: Name,
  params: ControlMethods[Name]["params"] | undefined,
): Answer<ControlMethods[Name]["result"]> {
  const { session } = useLive();
  const asked = params === undefined ? undefined : JSON.stringify(params);
  const [times, setTimes] = useState(0);
  const key = `${asked} ${times}`;
  const [told, setTold] = useState<{
    readonly key: string;
    readonly result?: ControlMethods[Name]["result"];
    readonly error?: ProtocolError;
  }>();
  useEffect(() => {
    if (asked === undefined) return;
    let isOver = false;
    session.call(method, JSON.parse(asked) as ControlMethods[Name]["params"]).then(
      (result) => !isOver && setTold({ key, result }),
      (error: unknown) => {
        const known = error instanceof ProtocolError ? error : new ProtocolError("internal", String(error));
        if (!isOver) setTold({ key, error: known });
      },
    );
    return () => {
      isOver = true;
    };
  }, [session, method, asked, key]);
  const { result, error } = told?.key === key ? told : {};
  return { result, error, again: useCallback(() => setTimes((before) => before + 1), []) };
}
