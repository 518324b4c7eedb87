/** Why a server could not start, in the one form that the command line knows: a file of its own, for who judges settings. */

/** One sentence that names the value and what to do. The CLI exits 2 with it. */
export class StartError extends Error {
  override readonly name = "StartError";
}
