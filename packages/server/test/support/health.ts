/** A store that is always there, for rooms that a test builds by themselves. */
import type { StoreWatch } from "../../src/admission/storeHealth.ts";

export const healthy: StoreWatch = { degraded: undefined, onRecovered: () => () => {}, countWaiting: () => {} };
