/**
 * Clients that are none of ours: one that says what nobody may say, and one of a time before this protocol.
 *
 * Each opens a socket, speaks its piece, and is judged by what the server answers: a refusal in the documented words,
 * and no harm to anybody else, which is the judge's to see. It reads nothing and comes back never.
 */
import { closeCodes } from "@holdfast/protocol";
import { Process } from "../core/process.ts";
import type { Surroundings } from "../world/surroundings.ts";

export const hostilePieces = [
  "not JSON at all",
  '{"type":"hello"}',
  "[]",
  '[{"type":"request","id":"x","method":"board.add","params":{}}]',
  '[{"type":"hello","protocol":1}]',
  '[{"type":"hello","protocol":1,"instance":"0190a0a0-0000-7000-8000-000000000000","attempt":1,"client":{"name":"x","version":"0"},"visible":true,"token":"forged"}]',
  `[${"[".repeat(5_000)}${"]".repeat(5_000)}]`,
  `["${"x".repeat(70_000)}"]`,
  '[{"__proto__":{"type":"hello"}}]',
] as const;

const oldHello =
  '[{"type":"hello","protocol":0,"instance":"0190a0a0-0000-7000-8000-000000000000","attempt":1,"client":{"name":"old","version":"0"},"visible":true}]';

const codes: ReadonlySet<number> = new Set([
  closeCodes.badMessage,
  closeCodes.unauthenticated,
  closeCodes.tooBig,
  closeCodes.silent,
  // The node stops, or has no place just then: whoever comes is told so.
  closeCodes.restart,
  closeCodes.unavailable,
  closeCodes.tooMany,
]);

/** Which of them are still there: none may be, long after it came. */
export function visit(world: Surroundings, piece: number | "old", number: number): void {
  const { scheduler, network } = world;
  const process = new Process(scheduler, `stranger ${number}`);
  const path = network.path(process.name, 5, 5);
  const fault = piece === "old" ? "oldClient" : "hostileClient";
  let last = "";
  const connection = network.connect(process, path, {
    opened() {
      const text = piece === "old" ? oldHello : (hostilePieces[piece] ?? "");
      connection.send(text);
    },
    received(frame) {
      last = frame;
      if (frame.includes('"type":"welcome"'))
        world.violated("REL-I14", `${process.name} was welcomed without a credential`);
    },
    closed(code) {
      if (code === closeCodes.lost) return;
      if (!codes.has(code))
        world.violated("REL-I16", `${process.name} was closed with ${code} for piece ${piece}: ${last}`);
      if (piece === "old" && code === closeCodes.badMessage && !last.includes("unsupported_protocol"))
        world.violated("REL-I7", `an old client was told ${last} and not that its protocol is not spoken`);
      world.effect(fault);
      process.kill();
    },
    ended() {},
  });
}
