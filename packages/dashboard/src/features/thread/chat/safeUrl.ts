/**
 * Where a link in somebody else's text may lead (O1): http, https and mailto, and only as an absolute address.
 *
 * Judged by the browser's own parser, after which nothing is left to be read in two ways (`java\\tscript:`, entities).
 */
const schemes: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);

/** The address as it will be opened; undefined where it may not be. */
export function safeUrl(url: string | undefined): string | undefined {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed !== null && schemes.has(parsed.protocol) ? parsed.href : undefined;
}
