/**
 * How streams, terminals and keyframe scopes are named: one function each, so that what is produced under
 * a name is what is viewed under it (F27). No schema is loaded with this file: a page may import it.
 */

export const streams = {
  fleet: "fleet",
  threads: "threads",
  assistants: "assistants",
  /** What one person has read: theirs alone. */
  reads: (userId: string): string => `reads/${userId}`,
  thread: (threadId: string): string => `thread/${threadId}`,
  inbox: (agentId: string): string => `inbox/${agentId}`,
} as const;

/** The terminal of a thread: all its commands, or its one interactive program, draw on one screen. */
export const terminalOf = (threadId: string): string => threadId;

/** The scope of a terminal's keyframes (ST-10). */
export const terminalScope = (terminal: string): string => `terminal/${terminal}`;

/** The scope of a message's whole text (ST-10). */
export const messageScope = (message: string): string => `message/${message}`;
