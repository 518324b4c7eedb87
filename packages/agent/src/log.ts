/** The log as the agent sees it: one function a level, an event name, fields. The server's `Log` has this shape. */
export interface AgentLog {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** `fields.error` is a real Error. */
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}
