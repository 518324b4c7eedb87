/** What is shown stays the same value while it says the same, so that who compares by identity sees each change once. */

/** The older value where the two say the same, field by field. */
export function keepIfEqual<Value extends object>(before: Value | undefined, after: Value): Value {
  for (const key in after) if (before?.[key] !== after[key]) return after;
  return before ?? after;
}
