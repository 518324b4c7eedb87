/**
 * What never reaches a log: credentials, by the name of their field and by their own shape (AU-1, L2).
 *
 * A name counts by its last word (`operatorKey`, `set-cookie`, `sign_in_code`), so that a new field with an
 * old name is masked before anyone thinks of it. Numbers named `code` are close and exit codes, and stay.
 * Invariant: a masked value leaves nothing behind, neither its length nor its first letters. It deliberately
 * does not guess at secrets that look like ordinary text.
 */
export const masked = "[masked]";

const secretWords: ReadonlySet<string> = new Set([
  "authorization",
  "code",
  "cookie",
  "cookies",
  "credential",
  "credentials",
  "key",
  "password",
  "secret",
  "token",
]);

/** Whole names, where the last word alone says nothing. */
const secretNames: ReadonlySet<string> = new Set(["sec-websocket-protocol"]);

/** Our API keys, `bearer.<t>` and `Bearer <t>`, and JSON Web Tokens, wherever they stand in a text. */
const secretShapes = /\bhfk_[\w.~+/=-]+|\bbearer[. ][\w.~+/=-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*/gi;

/** Whether the value of a field of this name may not be written. */
export function isSecretField(name: string, value: unknown): boolean {
  if (typeof value === "number" || typeof value === "boolean" || value === undefined || value === null) return false;
  const lower = name.toLowerCase();
  if (secretNames.has(lower)) return true;
  const lastWord =
    name
      .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .at(-1) ?? "";
  return secretWords.has(lastWord);
}

/** Replaces every credential that has a shape of its own. */
export function maskText(text: string): string {
  return text.replace(secretShapes, masked);
}
