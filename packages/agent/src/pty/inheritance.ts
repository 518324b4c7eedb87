/**
 * Keeps a program from inheriting the terminals of others.
 *
 * On Linux node-pty leaves the masters of all open ptys open in each new program: it could read and type into
 * the others' terminals, and would keep them alive after the agent's death. Nothing in Node sets close-on-exec
 * on such a descriptor, so the program is started through bash, which closes everything above standard error
 * and then becomes the program (`exec`). On macOS node-pty closes them itself. This is the one place that
 * knows `/proc`.
 */
import { existsSync } from "node:fs";

const bash = "/bin/bash";
const closeAndBecome =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash's expansion
  'for f in /proc/self/fd/*; do f=${f##*/}; ((f > 2)) && eval "exec $f>&-"; done; exec "$@"';

/** The command to spawn for `command`; itself where nothing needs closing or nothing can close. */
export function withoutInheritance(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  if (process.platform !== "linux" || !existsSync(bash)) return command;
  // -p: neither startup files nor functions from the environment.
  return [bash, "--norc", "--noprofile", "-p", "-c", closeAndBecome, "holdfast", ...command];
}
