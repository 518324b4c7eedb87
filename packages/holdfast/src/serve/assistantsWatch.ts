/**
 * Which assistants are configured, as any admin's client would see it: read again at each change.
 *
 * Life cycle: one session with the operator's key → told for whom keys are to be encrypted → `changed` with all assistants,
 * at first and after each change → closed. A call that fails is made again with the next change, or by the session itself
 * while there is no connection. It deliberately keeps nothing.
 */
import { createSession } from "@holdfast/client";
import type { ControlMethods } from "@holdfast/control/contract";
import { streams } from "@holdfast/control/names";
import { type LeadWish, lookApartMs, type Standing } from "./assistantsLead.ts";

export type HostedAssistant = ControlMethods["assistant.hosted"]["result"]["items"][number];

export interface AssistantsWatch {
  /** Tells the server for whom it encrypts keys from now on. */
  host(publicKey: string): Promise<void>;
  /** Of several servers on one database one runs the assistants: see `assistantsLead.ts`. */
  lead(wish: LeadWish): Promise<Standing>;
  close(): Promise<void>;
}

/** `url` is the server's, `key` the operator's. */
export function watchAssistants(
  url: string,
  key: string,
  version: string,
  changed: (assistants: readonly HostedAssistant[]) => void,
): AssistantsWatch {
  const session = createSession<ControlMethods>({
    url: `${url.replace(/^http/, "ws")}/ws`,
    getToken: async () => key,
    clientName: "holdfast serve assistants",
    clientVersion: version,
  });
  const read = (): void => {
    session.call("assistant.hosted", {}).then(
      ({ items }) => changed(items),
      () => {},
    );
  };
  session.subscribe(streams.assistants, { from: "latest", onSnapshot: read, onEvents: read });
  return {
    host: async (publicKey) => void (await session.call("assistant.host", { publicKey })),
    lead: (wish) => session.call("assistant.lead", wish, { timeout: lookApartMs }),
    close: () => session.close(),
  };
}
