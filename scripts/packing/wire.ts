/**
 * Every word of the wire, from the schemas themselves: fields, message types, and texts that a field may have.
 */

/** The words of all that a module of schemas exports: its schemas, and records of them. */
export function wordsOfSchemas(exported: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const words = new Set<string>();
  const seen = new Set<unknown>();

  function read(value: unknown): void {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    const definition = (value as { _zod?: { def: Readonly<Record<string, unknown>> } })._zod?.def;
    if (definition === undefined) {
      for (const one of Object.values(value)) read(one);
      return;
    }
    const { shape, values, entries } = definition;
    addKeys(shape);
    addKeys(entries);
    if (Array.isArray(values)) for (const word of values) if (typeof word === "string") words.add(word);
    for (const part of Object.values(definition)) read(part);
  }

  function addKeys(record: unknown): void {
    if (typeof record === "object" && record !== null) for (const key of Object.keys(record)) words.add(key);
  }

  for (const [name, value] of Object.entries(exported)) {
    words.add(name);
    if (typeof value === "object" && value !== null && !("_zod" in value)) addKeys(value);
    read(value);
  }
  return words;
}
