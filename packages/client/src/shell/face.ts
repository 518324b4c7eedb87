/** How an entry gives a session more than the plain one has: onto the same object, getters as getters. */
import type { Session } from "../api.ts";

export function withFace<Face extends object>(session: Session, face: Face): Omit<Session, keyof Face> & Face {
  return Object.defineProperties(session, Object.getOwnPropertyDescriptors(face)) as Session & Face;
}
