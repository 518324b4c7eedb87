/**
 * What of JSON this server takes further: not too deep, numbers that a double holds, whole characters.
 *
 * A parser takes 100,000 levels; whatever walks or copies them afterwards (canonical JSON, a clone on its way
 * to the store's worker) ends in a stack overflow, and where operations travel in one batch it would take
 * everybody's down (security F9). So what comes from outside is looked at once, before any of that. Pure.
 */

/** Levels of lists and objects, the value itself included. */
export const jsonLevelsMax = 100;

/** Members of all lists and objects of one request: 50,000 keys cost half a second of everybody's time. */
export const paramsMembersMax = 10_000;

/** Whether a request's params have more members than are looked at. Stops counting where they have. */
export function hasTooManyMembers(params: unknown): boolean {
  let left = paramsMembersMax;
  const waiting = [params];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== "object" || value === null) continue;
    const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    left -= members.length;
    if (left < 0) return true;
    waiting.push(...members);
  }
  return false;
}

/** Why a value that was parsed from JSON goes no further; undefined where it does. */
export function jsonProblem(value: unknown, levelsMax = jsonLevelsMax): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "a number is beyond what a double holds";
  if (typeof value !== "object" || value === null) return undefined;
  if (levelsMax === 0) return `it is more than ${jsonLevelsMax} levels deep`;
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const member of members) {
    const problem = jsonProblem(member, levelsMax - 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Whether a sound value has a text, a key included, with half of a surrogate pair: RFC 8785 has no form for it. */
export function hasHalfCharacter(value: unknown): boolean {
  if (typeof value === "string") return !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasHalfCharacter);
  return Object.entries(value).some(([name, member]) => !name.isWellFormed() || hasHalfCharacter(member));
}
