/** The plain session: streams, requests, signals. What other kinds do besides is in entries of their own. */
import type { MethodMap, Session, SessionOptions } from "./api.ts";
import { openSession } from "./openSession.ts";

/** Opens a session and starts it. It lives until `close()`. */
export function createSession<Methods extends MethodMap = MethodMap>(options: SessionOptions): Session<Methods> {
  const { session, start } = openSession(options);
  start();
  return session as Session<Methods>;
}
