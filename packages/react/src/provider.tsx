/**
 * Hands one session down a tree.
 *
 * The session is made, and closed, by whoever renders the provider: mounting and unmounting (twice, in
 * StrictMode) must not be able to open or close a connection.
 */

import type { AnySession, MethodMap, Session } from "@holdfast/client";
import { assert } from "@holdfast/protocol";
import { createContext, type ReactNode, useContext } from "react";

const SessionContext = createContext<Session | undefined>(undefined);

export function HoldfastProvider({
  session,
  children,
}: {
  readonly session: AnySession;
  readonly children?: ReactNode;
}): ReactNode {
  return <SessionContext value={session as unknown as Session}>{children}</SessionContext>;
}

/** The session of the nearest provider. */
export function useSession<Methods extends MethodMap = MethodMap>(): Session<Methods> {
  const session = useContext(SessionContext);
  assert(session !== undefined, "useSession needs a <HoldfastProvider session={…}> above it");
  return session as unknown as Session<Methods>;
}
