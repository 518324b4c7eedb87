/** A snapshot cut into parts of about one frame each; arrays of later parts are appended (ST-3, TR-3). */
import { limits } from "@holdfast/protocol";

/** At least one part. Every field stands in the first; arrays are dealt out, element by element. */
export function snapshotParts(
  data: Readonly<Record<string, unknown>>,
  bytesTarget = limits.frameTargetBytes,
): Record<string, unknown>[] {
  const first: Record<string, unknown> = {};
  const parts = [first];
  let part = first;
  let bytes = 0;
  for (const [name, value] of Object.entries(data)) {
    if (!Array.isArray(value)) {
      first[name] = value;
      bytes += JSON.stringify(value ?? null).length;
      continue;
    }
    first[name] = part === first ? [] : (first[name] ?? []);
    for (const element of value as unknown[]) {
      const size = JSON.stringify(element ?? null).length;
      if (bytes > 0 && bytes + size > bytesTarget) {
        part = {};
        parts.push(part);
        bytes = 0;
      }
      const list = (part[name] as unknown[] | undefined) ?? [];
      part[name] = list;
      list.push(element);
      bytes += size;
    }
  }
  return parts;
}
