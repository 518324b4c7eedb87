/** Faults of a whole deployment that somebody may ask for in development mode, and how long each may last. */

export const faultKinds = ["storeAway", "busLost", "restart"] as const;
/** The database answers nobody; nothing passes between servers; this server stops and starts again. */
export type Fault = (typeof faultKinds)[number];

export const faultSecondsMax = 60;
export const faultSecondsByDefault = 20;

export interface MadeFault {
  readonly fault: Fault;
  /** ms since 1970. */
  readonly until: number;
  /** Who asked. */
  readonly by: string;
}
