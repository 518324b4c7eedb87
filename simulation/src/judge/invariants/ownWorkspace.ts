/**
 * I7 (REL-I15): a reader is given only what belongs to its workspace, whoever it was before.
 *
 * The proof is the taint: a load that writes its workspace into each content, which is compared with the reader's. It
 * knows no rights within a workspace.
 */
import type { Fail, Invariant } from "../invariant.ts";
import { placeOf, type Readers } from "../readers.ts";

export function ownWorkspace(readers: Readers, fail: Fail): Invariant {
  return {
    on: {
      delivered({ reader: name, taint, offset, content }) {
        if (taint === undefined) return;
        const reader = readers.of(name);
        if (reader === undefined || reader.workspace === taint) return;
        fail("I7", `${placeOf(reader)} was given offset ${offset}, which belongs to workspace ${taint}`, {
          context: { content },
        });
      },
    },
  };
}
