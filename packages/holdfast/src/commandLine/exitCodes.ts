/**
 * What an exit code of `holdfast` says. Scripts and supervisors rely on these numbers; they never change meaning.
 */
export const exitCodes = {
  /** Stopped because it was asked to, or done. */
  done: 0,
  /** A fault of ours: the log's last lines say which. `doctor`: something is wrong, and its last lines say what. */
  failed: 1,
  /** Wrong flag, value, configuration or surroundings: standard error has one sentence on what to do. */
  wrongUse: 2,
  /** Agent: the server does not accept its key. */
  refused: 3,
  /** Agent: another process acts as this agent (OP-7). */
  fenced: 4,
  /** Stopped at once by a second Ctrl-C. */
  interruptedTwice: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
