/** What a command sees of the world it was started in; tests pass their own. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the command is run. */
  readonly directory: string;
  /** Standard output and standard error. */
  readonly output: TextStream;
  readonly errors: TextStream;
}

export interface TextStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}
