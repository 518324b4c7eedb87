/** Every planted bug. Where one belongs is the way on which it lies; ids are unique over all. */
import type { Bug } from "./bug.ts";
import { connecting } from "./connecting.ts";
import { reading } from "./reading.ts";
import { unseen } from "./unseen.ts";
import { working } from "./working.ts";
import { writing } from "./writing.ts";

export const bugs: readonly Bug[] = [...reading, ...writing, ...connecting, ...working];

export function bugNamed(id: string): Bug | undefined {
  return [...bugs, ...unseen].find((bug) => bug.id === id);
}
