/** Why an agent cannot start, as a sentence for the person who started it. */
export type StartErrorCode = "state_locked" | "state_unusable" | "bad_option";

export class AgentStartError extends Error {
  override readonly name = "AgentStartError";
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
