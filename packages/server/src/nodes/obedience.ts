/**
 * What a node does on a notice: it forgets what it knew, then closes whom the change concerns (AU-9, OP-7).
 *
 * Invariants: what is remembered goes before the connections do, so that whoever comes back at once is judged by what
 * holds now; obeying twice, or what this node has told itself, closes nobody that it should not. It deliberately asks
 * nothing: notices come while the store is away, too.
 */
import { type Clock, unreachable } from "@holdfast/protocol";
import type { Authenticator } from "../auth/verdict.ts";
import type { Faults } from "../faults/faults.ts";
import type { Occupants } from "../gateway/occupants.ts";
import type { LentLevels } from "../observe/lentLevels.ts";
import type { HeardNotice } from "./notice.ts";

export interface ObedienceOptions {
  readonly authenticator: Pick<Authenticator, "ended" | "rightsChanged" | "signingKeysChanged">;
  readonly occupants: Pick<Occupants, "end" | "changeRights" | "fence">;
  readonly clock: Pick<Clock, "monotonic">;
  /** Absent where the log has one level for ever. */
  readonly levels?: Pick<LentLevels, "lend">;
  /** Absent but in development mode. */
  readonly faults?: Pick<Faults, "make">;
}

export function obeyNotice(
  { authenticator, occupants, clock, levels, faults }: ObedienceOptions,
  notice: HeardNotice,
): void {
  switch (notice.kind) {
    case "credentialEnded":
      authenticator.ended?.(notice.credential);
      occupants.end(notice.credential);
      return;
    case "rightsChanged":
      authenticator.rightsChanged?.();
      occupants.changeRights(notice.workspace, notice.principal, clock.monotonic());
      return;
    case "signingKeysChanged":
      authenticator.signingKeysChanged?.();
      return;
    case "agentFenced":
      occupants.fence(notice.workspace, notice.agent, notice.generation, clock.monotonic());
      return;
    case "logLevel":
      levels?.lend(notice);
      return;
    case "weather":
      faults?.make(notice);
      return;
    case "unknown":
      authenticator.rightsChanged?.();
      return;
    default:
      unreachable(notice);
  }
}
