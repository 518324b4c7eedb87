/**
 * A request's headers as they came: every occurrence, in order.
 *
 * Node's `headers` keeps only the first `Host` and joins several `Origin`s into one text; a judgement that
 * must refuse duplicates (F23) therefore reads `rawHeaders`, and its type says so.
 */

/** Node's `IncomingMessage.rawHeaders`: name, value, name, value … */
export type RawHeaders = readonly string[];

/** Every value of `name` (lower case), in the order of arrival. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) values.push(headers[index + 1] ?? "");
  }
  return values;
}
