/**
 * What those who live in the world may use of it: people, agents, browsers and strangers know this and not the
 * world, which makes them.
 */
import type { ProtocolError } from "@holdfast/protocol";
import type { Dice } from "../core/dice.ts";
import type { Scheduler } from "../core/scheduler.ts";
import type { FaultClass } from "../cover/faults.ts";
import type { Observation } from "../judge/observation.ts";
import type { InvariantId } from "../judge/violation.ts";
import type { PersonPlan } from "../plan/cast.ts";
import type { Plan } from "../plan/plan.ts";
import type { Issuer } from "./issuer.ts";
import type { Network } from "./network.ts";
import type { StoreWeather } from "./nodeStore.ts";
import type { ServerProcess } from "./serverProcess.ts";

/** A person as the others know them. */
export interface Neighbour {
  readonly plan: PersonPlan;
  /** How many pages they have loaded so far. */
  readonly incarnations: number;
  end(isPolite: boolean): void;
  restart(): void;
}

export interface Surroundings {
  readonly seed: number;
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly issuer: Issuer;
  readonly storeWeather: Pick<StoreWeather, "failedAt">;
  readonly nodes: readonly ServerProcess[];
  readonly people: readonly Neighbour[];
  /** Whether every node's clock is as right as it was planned. */
  readonly areClocksRight: boolean;
  /** ms since 1970 where clocks are right. */
  trueClock(): number;
  dice(...names: readonly (string | number)[]): Dice;
  observe(observation: Observation): void;
  /** A fault of this class took effect, while `who` (if anybody) was in its present state. */
  effect(fault: FaultClass, who?: string): void;
  /** An invariant that the simulation sees broken itself. */
  violated(invariant: InvariantId, message: string): void;
  /** The world's own doing, in so many ms. */
  later(ms: number, run: () => void): void;
  /** What the server could not take of a client's. */
  problem(client: string, problem: ProtocolError): void;
  /** OP-5: the page drops everything of the former user. */
  identityChanged(person: Neighbour): void;
}
