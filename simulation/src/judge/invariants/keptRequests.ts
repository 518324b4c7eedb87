/**
 * I10 (RQ-3, F69): a request that was under way when its connection was lost is sent again before anything newer.
 *
 * So where a client's later request was answered on a connection that came after an earlier one was asked, the earlier
 * one has an answer soon; one of which the server never said anything, and which ends as unknown so long afterwards, was
 * forgotten. Requests that follow others wait for those, and are not judged here.
 */
import type { Fail, Invariant } from "../invariant.ts";

/** Long enough for both to have been under way at once. */
const answerMsMax = 15_000;

interface RequestRecord {
  readonly client: string;
  readonly issuedAt: number;
  readonly follows: boolean;
}

export function keptRequests(fail: Fail): Invariant {
  const open = new Map<string, RequestRecord>();
  /** Client → its present connection began then. */
  const welcomedAt = new Map<string, number>();
  /** Client → on its present connection the first result came then, and it was of a request that was asked then. */
  const firstResult = new Map<string, { readonly at: number; readonly issuedAt: number }>();
  const ended = (client: string): void => {
    welcomedAt.delete(client);
    firstResult.delete(client);
  };
  return {
    on: {
      welcomed({ client, at }) {
        ended(client);
        welcomedAt.set(client, at);
      },
      closed: ({ client }) => ended(client),
      clientEnded: ({ client }) => ended(client),
      requestIssued({ request, client, at, after }) {
        open.set(request, { client, issuedAt: at, follows: after !== undefined });
      },
      requestSettled({ request: name, outcome, isUnheard, at }) {
        const request = open.get(name);
        open.delete(name);
        if (request === undefined) return;
        const { client, issuedAt, follows } = request;
        const began = welcomedAt.get(client);
        const first = firstResult.get(client);
        if (outcome === "result" && began !== undefined && first === undefined && issuedAt >= began)
          firstResult.set(client, { at, issuedAt });
        if (outcome !== "unknown" || isUnheard !== true || follows || began === undefined || first === undefined)
          return;
        if (issuedAt >= began || at - first.at < answerMsMax) return;
        fail(
          "I10",
          `request ${name} of ${client} has no answer, though a later one had its own ${Math.round(at - first.at)} ms ago on the same connection`,
          { harm: "lost" },
        );
      },
    },
  };
}
