/** One method as a component calls it: how many answers are awaited, and what went wrong last. */
import type { CallOptions, MethodMap } from "@holdfast/client";
import { ProtocolError } from "@holdfast/protocol";
import { useCallback, useEffect, useRef, useState } from "react";
import { useSession } from "./provider.tsx";

export interface RequestView<Params, Result> {
  /** Resolves with the result, rejects with a `ProtocolError`, which `error` shows too: it may be left uncaught. The same function on every render. */
  readonly send: (params: Params, options?: CallOptions) => Promise<Result>;
  readonly pending: boolean;
  /** Of the newest call that ended; undefined once one succeeded. */
  readonly error: ProtocolError | undefined;
}

export function useRequest<Methods extends MethodMap, Name extends keyof Methods & string = keyof Methods & string>(
  method: Name,
): RequestView<Methods[Name]["params"], Methods[Name]["result"]> {
  const session = useSession<Methods>();
  const [view, setView] = useState<{ readonly awaited: number; readonly error: ProtocolError | undefined }>({
    awaited: 0,
    error: undefined,
  });
  const mounted = useRef(false);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  const send = useCallback(
    (params: Methods[Name]["params"], options?: CallOptions): Promise<Methods[Name]["result"]> => {
      setView(({ awaited, error }) => ({ awaited: awaited + 1, error }));
      const end = (error: ProtocolError | undefined): void => {
        if (mounted.current) setView(({ awaited }) => ({ awaited: awaited - 1, error }));
      };
      const answer = session.call(method, params, options);
      // Who only shows `error` need not catch as well; an aborted call is the program's own doing, no error to show.
      answer.then(
        () => end(undefined),
        (error: unknown) => end(error instanceof ProtocolError ? error : undefined),
      );
      return answer;
    },
    [session, method],
  );
  return { send, pending: view.awaited > 0, error: view.error };
}
