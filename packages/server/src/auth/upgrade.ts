/**
 * The judgement on an upgrade before there is a connection: refused with a status, or taken with what it carries.
 *
 * One function for the gateway's shell, so that no upgrade skips a rule that HTTP obeys (W3): Host and
 * Origin first (AU-5), then the credential in the query and the subprotocol (AU-1, TR-2), then the cookies,
 * where they count. Nothing else fails an upgrade here (AU-2). Pure.
 */
import type { limits } from "@holdfast/protocol";
import { readCookies } from "./cookies.ts";
import { readUpgradeCredentials } from "./explicitCredentials.ts";
import { valuesOf } from "./headers.ts";
import { type HostOriginSettings, type JudgedRequest, judgeRequest } from "./hostOrigin.ts";

export type UpgradeJudgement =
  | { readonly kind: "refused"; readonly status: 400 | 403 | 415; readonly reason: string }
  | {
      readonly kind: "accepted";
      /** To be echoed; nothing else ever is (TR-2). */
      readonly subprotocol?: typeof limits.subprotocol;
      /** Two different explicit credentials: `bye` and close 4400 `ambiguous_credentials` (AU-1). */
      readonly ambiguous: boolean;
      /** `cookie` only where it counts. */
      readonly credentials: {
        readonly token?: string;
        readonly cookie?: string;
        readonly browser?: string;
        readonly cookies?: string;
      };
    };

export function judgeUpgrade(request: JudgedRequest, settings: HostOriginSettings): UpgradeJudgement {
  const judgement = judgeRequest(request, settings);
  if (!judgement.ok) return { kind: "refused", status: judgement.status, reason: judgement.reason };
  const stated = readUpgradeCredentials(request.headers, request.url);
  if (stated.kind === "refused") return stated;
  const { session, browser } = judgement.cookieCounts ? readCookies(request.headers, settings) : {};
  const cookies = judgement.cookieCounts ? valuesOf(request.headers, "cookie").join("; ") : "";
  return {
    kind: "accepted",
    ...(stated.subprotocol === undefined ? {} : { subprotocol: stated.subprotocol }),
    ambiguous: stated.kind === "ambiguous",
    credentials: {
      ...(stated.kind === "ambiguous" || stated.token === undefined ? {} : { token: stated.token }),
      ...(session === undefined ? {} : { cookie: session }),
      ...(browser === undefined ? {} : { browser }),
      ...(cookies === "" ? {} : { cookies }),
    },
  };
}
