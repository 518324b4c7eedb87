/**
 * The contract of the {@link Store} port: what every implementation must do, as one suite.
 *
 * Called once by each implementation's test file; the app that the store must run is `contractApp.ts`. It says
 * nothing of how fast a store is, nor of what it does when its disk or server fails: those are its own tests.
 */
import { afterAll, beforeAll, describe } from "vitest";
import type { Store } from "../../../src/store/port.ts";
import { generatedCases } from "./generated.ts";
import { newTrial, type StoreImplementation, type Trial } from "./implementation.ts";
import { logCases } from "./log.ts";
import { publishCases } from "./publishes.ts";
import { requestCases } from "./requests.ts";
import { retainCases } from "./retaining.ts";

const openMsMax = 60_000;

export interface ContractSettings {
  /** How many sequences are drawn. */
  readonly runs: number;
}

export function storeContract(implementation: StoreImplementation, { runs }: ContractSettings): void {
  describe(`the store's contract: ${implementation.name}`, () => {
    let store: Store | undefined;
    const trial = (): Trial => {
      if (store === undefined) throw new Error("the store did not open");
      return newTrial(store);
    };
    beforeAll(async () => {
      store = await implementation.open();
    }, openMsMax);
    afterAll(async () => {
      await store?.close();
    }, openMsMax);

    requestCases(trial);
    publishCases(trial);
    logCases(trial);
    generatedCases(trial, runs);
    retainCases(trial);
  });
}
