/** What somebody has read, in one number: the same for the same texts in the same order, and for no others by chance. */
import { hashOf } from "../random.ts";

export function foldText(before: number, text: string): number {
  return hashOf(`${before} ${text}`);
}
