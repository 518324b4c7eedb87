/** People of a test. */

import { randomBytes } from "node:crypto";
import { uuidv7 } from "@holdfast/protocol";
import type { Principal } from "../../src/plugin.ts";

export const ada: Principal = {
  kind: "person",
  id: "ada",
  name: "Ada",
  role: "admin",
  workspace: "default",
  temporary: false,
};
export const newId = (): string => uuidv7(Date.now(), randomBytes(10));

/** A UUIDv7 of the simulated time. */
export function uuidAt(world: { readonly clock: { now(): number } }): string {
  return uuidv7(world.clock.now(), randomBytes(10));
}
