/**
 * What an event says, as one text: how the judge compares what was committed with what was delivered.
 *
 * Events that may be joined (ST-12) have contents that joined give the joint content: a log's lines, a terminal's
 * bytes, a message's text. All others are their name and their data as JSON, which is the same however often it is
 * parsed and written.
 */

export interface SeenEvent {
  readonly event: string;
  readonly data: unknown;
}

export function contentOf({ event, data }: SeenEvent): string {
  const fields = data as Readonly<Record<string, string>>;
  switch (event) {
    case "line":
    case "text.delta":
      return fields["t"] ?? fields["text"] ?? "";
    case "added":
      return `added ${fields["w"]} ${fields["r"]}`;
    case "terminal.output":
      return Buffer.from(fields["data"] ?? "", "base64").toString("latin1");
    default:
      return `${event} ${JSON.stringify(data)}`;
  }
}

/** The workspace that the event itself names, where it names one. */
export function taintOf(data: unknown): string | undefined {
  const taint = (data as { readonly w?: unknown } | null)?.w;
  return typeof taint === "string" ? taint : undefined;
}

/** Names a request for the judge, and says in whose name it was asked. */
export function requestName(client: string, number: number, user: string): string {
  return `${client}?${number}@${user}`;
}

/** In whose name a request was asked; empty where nobody was known yet. */
export function askerOf(request: string): string {
  return request.slice(request.lastIndexOf("@") + 1);
}

/** The board's state is the order of its requests: a chain of fingerprints. */
export const boardFold = {
  initial: "0",
  next: (state: string, content: string): string => link(state, content),
};

/** The same from a snapshot, which holds the requests themselves. */
export function foldRequests(workspace: string, requests: readonly string[]): string {
  let state = boardFold.initial;
  for (const request of requests)
    state = boardFold.next(state, contentOf({ event: "added", data: { w: workspace, r: request } }));
  return state;
}

function link(state: string, content: string): string {
  let value = Number(state) ^ 0x811c9dc5;
  for (let at = 0; at < content.length; at += 1) value = Math.imul(value ^ content.charCodeAt(at), 0x01000193);
  return String(value >>> 0);
}
