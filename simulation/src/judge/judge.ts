/**
 * The judge: told what was observed, it says whether every invariant holds.
 *
 * Life cycle: observing → finished. It holds the reference model and the invariants of `invariants/`, one file each,
 * and hands each observation to those that look at its kind: O(1), since a run has millions. It imports nothing but
 * its own files, not even the protocol's limits: what is judged cannot explain itself. It serves a simulation, where
 * the first breach throws, and histories of real processes, where all are counted. It deliberately knows no product.
 */

import { type Fail, handlersOf, type Invariant } from "./invariant.ts";
import { boundedThings } from "./invariants/boundedThings.ts";
import { commandEnds } from "./invariants/commandEnds.ts";
import { contiguousReading } from "./invariants/contiguousReading.ts";
import { convergence } from "./invariants/convergence.ts";
import { epochs } from "./invariants/epochs.ts";
import { fencing } from "./invariants/fencing.ts";
import { healthyConnections } from "./invariants/healthyConnections.ts";
import { honestLog } from "./invariants/honestLog.ts";
import { honestState } from "./invariants/honestState.ts";
import { jitteredReturns } from "./invariants/jitteredReturns.ts";
import { keptRequests } from "./invariants/keptRequests.ts";
import { noCrash } from "./invariants/noCrash.ts";
import { oneSocket } from "./invariants/oneSocket.ts";
import { ownWorkspace } from "./invariants/ownWorkspace.ts";
import { producersEvents } from "./invariants/producersEvents.ts";
import { requestEffects } from "./invariants/requestEffects.ts";
import { secrets } from "./invariants/secrets.ts";
import { timelyAuthority } from "./invariants/timelyAuthority.ts";
import { type Fold, makeLogs } from "./logs.ts";
import { type Observation, type ObservationKind, observationKinds } from "./observation.ts";
import { makeReaders } from "./readers.ts";
import { type Harm, Violation } from "./violation.ts";

export interface JudgeOptions {
  /** What becomes of a breach. Absent: it is thrown. */
  readonly onViolation?: (violation: Violation) => void;
  /** The fold of a stream, where snapshots and shown states are to be compared with it (ST-9, REL-I18). */
  readonly foldOf?: (workspace: string, stream: string) => Fold | undefined;
  /** Texts that may stand in no line of a log and no error (REL-I17). */
  readonly canaries?: readonly string[];
  /** How long a frame may be under way when authority ends, ms (REL-I14). */
  readonly underWayMsMax?: number;
  /** How much later than it read the time a client may open its socket, ms (I4). Absent: at once, as in virtual time. */
  readonly attemptLateMsMax?: number;
}

/** What was judged: the figures of the ledger. */
export interface JudgeReport {
  readonly observations: number;
  /** Events that became durable. */
  readonly committed: number;
  /** Events that were applied by readers, each as many as it covers. */
  readonly deliveries: number;
  readonly requests: number;
  readonly commands: number;
  readonly violations: readonly Violation[];
  readonly harms: Readonly<Record<Harm, number>>;
}

export interface Judge {
  /** @throws Violation where `onViolation` is absent and an invariant does not hold */
  observe(observation: Observation): void;
  /**
   * Judges what can only be judged at the end. To be called once.
   * @param isHealed whether faults ended long enough ago for everything to have converged (I10)
   */
  finish(isHealed: boolean): JudgeReport;
}

/** A judge that has seen nothing yet. */
export function createJudge(options: JudgeOptions = {}): Judge {
  const violations: Violation[] = [];
  const counts: Record<Harm, number> = { lost: 0, repeated: 0, reordered: 0, phantom: 0, silentGaps: 0 };
  let now: number | undefined;
  const seen = new Map<ObservationKind, number>(observationKinds.map((kind) => [kind, 0]));
  const fail: Fail = (invariant, message, details = {}) => {
    const violation = new Violation(invariant, message, { ...details, at: now });
    violations.push(violation);
    if (violation.harm !== undefined) counts[violation.harm] += 1;
    if (options.onViolation === undefined) throw violation;
    options.onViolation(violation);
  };
  const foldOf = options.foldOf ?? (() => undefined);
  const logs = makeLogs(foldOf);
  const readers = makeReaders(logs);
  // The order matters: books first that others look into.
  const invariants: readonly Invariant[] = [
    epochs(logs, foldOf, fail),
    ownWorkspace(readers, fail),
    timelyAuthority(readers, options.underWayMsMax ?? 0, fail),
    honestState(readers, foldOf, fail),
    contiguousReading(readers, fail),
    producersEvents(logs, fail),
    requestEffects(fail),
    commandEnds(fail),
    fencing(fail),
    keptRequests(fail),
    oneSocket(fail, options.attemptLateMsMax),
    jitteredReturns(fail),
    healthyConnections(fail),
    boundedThings(fail),
    honestLog(fail),
    secrets(options.canaries ?? [], fail),
    noCrash(fail),
    convergence(readers, fail),
  ];
  const table = new Map(observationKinds.map((kind) => [kind, handlersOf(invariants, kind)]));
  let deliveries = 0;
  return {
    observe(observation) {
      const { kind } = observation;
      now = observation.at;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      if (kind === "delivered") deliveries += (observation.through ?? observation.offset) - observation.offset + 1;
      for (const handle of table.get(kind) ?? []) handle(observation);
    },
    finish(isHealed) {
      now = undefined;
      for (const { finish } of invariants) finish?.(isHealed);
      return {
        observations: [...seen.values()].reduce((sum, count) => sum + count, 0),
        committed: seen.get("committed") ?? 0,
        deliveries,
        requests: seen.get("requestIssued") ?? 0,
        commands: seen.get("commandAccepted") ?? 0,
        violations,
        harms: counts,
      };
    },
  };
}
