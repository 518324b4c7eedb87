/**
 * The one place where the simulation opens production sessions: what kinds there are, and with which options.
 *
 * A page asks and watches, and keeps what must survive a reload; a program publishes; an agent is a program that obeys.
 * The ports are the simulation's; nothing else differs from what anybody would write.
 */
import { createDurableSession, type DurableSession, type DurableSessionOptions } from "@holdfast/client/durable";
import {
  createPublisherSession,
  type PublisherSession,
  type PublisherSessionOptions,
} from "@holdfast/client/publisher";

export type { DurableSession, PublisherSession };

export function openPage(options: DurableSessionOptions): DurableSession {
  return createDurableSession(options);
}

export function openProgram(options: PublisherSessionOptions): PublisherSession {
  return createPublisherSession(options);
}
