/**
 * The one place where the simulation opens production sessions: what kinds there are, and with which options.
 *
 * Everything else of the simulation knows a session by what these kinds have in common. The ports are the
 * simulation's; nothing else differs from what a program would write.
 */
import {
  createPublisherSession,
  type PublisherSession,
  type PublisherSessionOptions,
} from "@holdfast/client/publisher";

export type PersonSession = PublisherSession;

export function openPersonSession(options: PublisherSessionOptions): PersonSession {
  return createPublisherSession(options);
}
