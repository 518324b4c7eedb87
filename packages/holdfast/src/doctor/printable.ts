/**
 * Makes text from the network safe to show on a terminal: one line, bounded, without controls and credentials.
 *
 * Whatever answers at an address may be hostile, and `holdfast doctor` repeats parts of the answer.
 */

/** Controls (C0, DEL, C1), line separators, and the marks that turn text around on a screen. */
const controls = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;
/** Our API keys, bearer values and JSON Web Tokens, wherever they stand. */
const credentials = /\bhfk_[\w.~+/=-]+|\bbearer[. ][\w.~+/=-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*/gi;

/** What stands in a credential's place. */
export const masked = "[masked]";

/** At most `charactersMax` characters; `secret`, where it is given, is masked too. */
export function printable(text: string, charactersMax: number, secret?: string): string {
  const known = secret === undefined || secret === "" ? text : text.replaceAll(secret, masked);
  const plain = known.replace(credentials, masked).replace(controls, " ");
  return plain.length > charactersMax ? `${plain.slice(0, charactersMax)}…` : plain;
}

/** A short word or sentence of somebody else's, in quotes. */
export function told(text: string): string {
  return JSON.stringify(printable(text, 200));
}
