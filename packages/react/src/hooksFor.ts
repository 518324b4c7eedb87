/** The hooks with an app's own types, written down once instead of at each use. */
import type { MethodMap, Session } from "@holdfast/client";
import { useSession } from "./provider.tsx";
import { type RequestView, useRequest } from "./useRequest.ts";

export interface HooksFor<Methods extends MethodMap> {
  readonly useSession: () => Session<Methods>;
  readonly useRequest: <Name extends keyof Methods & string>(
    method: Name,
  ) => RequestView<Methods[Name]["params"], Methods[Name]["result"]>;
}

/** `const { useRequest } = hooksFor<BoardMethods>()`. The same hooks each time: only their types differ. */
export function hooksFor<Methods extends MethodMap>(): HooksFor<Methods> {
  return { useSession: useSession<Methods>, useRequest };
}
