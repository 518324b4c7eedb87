/** The opaque `next` of lists: where the page ended, as base64url of a JSON array of strings. */
import { ProtocolError } from "@holdfast/protocol";

export function writeNext(position: readonly string[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** The `length` parts of a position. Throws `invalid_params` for what {@link writeNext} did not write. */
export function readNext(next: string, length: number): string[] {
  const position = parse(next);
  if (Array.isArray(position) && position.length === length && position.every((part) => typeof part === "string"))
    return position;
  throw new ProtocolError("invalid_params", `\`next\` "${next}" is not one of this list's; begin again without it`, {
    details: { field: "next" },
  });
}

function parse(next: string): unknown {
  try {
    return JSON.parse(Buffer.from(next, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
