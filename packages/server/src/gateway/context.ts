/** What every connection of a node shares: the rooms behind the gateway, and the node's settings. */
import type { Clock, Random } from "@holdfast/protocol";
import type { Admission } from "../admission/admission.ts";
import type { AdmissionLimits } from "../admission/limits.ts";
import type { StoreHealth } from "../admission/storeHealth.ts";
import type { Authenticator } from "../auth/verdict.ts";
import type { ConnectionLimits } from "../connectionLimits.ts";
import type { FeatureFlags } from "../flags/features.ts";
import type { AnyMethod } from "../methods/nodeMethod.ts";
import type { Mode } from "../mode.ts";
import type { Log } from "../observe/log.ts";
import type { Observer } from "../observe/observer.ts";
import type { Records } from "../observe/records.ts";
import type { RefusedDeeds } from "../observe/refusedDeeds.ts";
import type { PluginRuntime, StreamFamily } from "../plugin.ts";
import type { Store } from "../store/port.ts";
import type { Committer } from "../streams/committer.ts";
import type { Hub } from "../streams/hub.ts";
import type { Occupants } from "./occupants.ts";
import type { Openings } from "./openings.ts";
import type { SignalBoard } from "./signals.ts";

export interface Heartbeat {
  readonly interval: number;
  readonly timeout: number;
}

export interface GatewayContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: Observer;
  readonly records: Records;
  readonly mode: Mode;
  /** What somebody may use; at once or within a bound, never rejects. */
  readonly features: FeatureFlags["of"];
  readonly node: string;
  readonly heartbeat: Heartbeat;
  readonly limits: ConnectionLimits;
  readonly authenticator: Authenticator;
  readonly admission: Admission;
  readonly admissionLimits: AdmissionLimits;
  readonly health: StoreHealth;
  readonly store: Pick<Store, "query" | "snapshot" | "read">;
  readonly committer: Committer;
  readonly refusedDeeds: RefusedDeeds;
  readonly hub: Hub;
  /** Subscriptions that wait for the store, by workspace and stream. */
  readonly openings: Openings;
  readonly signals: SignalBoard;
  readonly occupants: Occupants;
  method(name: string): AnyMethod | undefined;
  family(stream: string): StreamFamily | undefined;
  readonly runtimes: readonly PluginRuntime[];
}
