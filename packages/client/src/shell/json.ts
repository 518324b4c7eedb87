/** JSON of what a program passes. */
import { ProtocolError } from "@holdfast/protocol";

/** What JSON cannot say (a cycle, a BigInt) is `invalid_params`. */
export function toJson(value: unknown, what: string): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (cause) {
    throw new ProtocolError("invalid_params", `${what}: not JSON: ${String(cause)}`, { cause });
  }
}
