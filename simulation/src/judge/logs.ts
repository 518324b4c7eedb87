/**
 * The reference model of streams: what was durable, in which order, under which epoch.
 *
 * A log is an array of contents; offset n is at index n − 1. A new epoch keeps a beginning of it. A rollback cuts it,
 * and what was cut stays known as a *ghost*: it was durable once, so whoever was sent it in time is not to blame, and
 * from then on is *ahead* until it is told to start anew. Invariant: `contents.length` is the head. It judges nothing;
 * the invariants ask it.
 */

/** How a state follows from a log: fingerprints, compared for equality. */
export interface Fold {
  readonly initial: string;
  next(state: string, content: string): string;
}

export interface Ghosts {
  readonly epoch: string;
  /** Offset of the first. */
  readonly offset: number;
  readonly contents: readonly string[];
}

export interface Log {
  readonly workspace: string;
  readonly stream: string;
  epoch: string;
  readonly contents: string[];
  /** The fold after each event, where there is one. */
  readonly states: string[] | undefined;
  /** Offsets that retention removed. */
  readonly removed: Set<number>;
  /** Of these what went before its beginning did: a later keyframe stands for it (ST-10). */
  readonly replaced: Set<number>;
  readonly formerEpochs: Set<string>;
  readonly ghosts: Ghosts[];
}

export interface Logs {
  /** The log of a stream; an empty one where nothing was committed yet. */
  of(workspace: string, stream: string): Log;
  all(): Iterable<Log>;
}

export function makeLogs(foldOf: (workspace: string, stream: string) => Fold | undefined): Logs {
  const logs = new Map<string, Map<string, Log>>();
  return {
    of(workspace, stream) {
      let ofWorkspace = logs.get(workspace);
      if (ofWorkspace === undefined) {
        ofWorkspace = new Map();
        logs.set(workspace, ofWorkspace);
      }
      let log = ofWorkspace.get(stream);
      if (log === undefined) {
        log = {
          workspace,
          stream,
          epoch: "",
          contents: [],
          states: foldOf(workspace, stream) === undefined ? undefined : [],
          removed: new Set(),
          replaced: new Set(),
          formerEpochs: new Set(),
          ghosts: [],
        };
        ofWorkspace.set(stream, log);
      }
      return log;
    },
    *all() {
      for (const ofWorkspace of logs.values()) yield* ofWorkspace.values();
    },
  };
}

/** Cuts the log to `head`, and keeps what was cut as ghosts. */
export function cut(log: Log, head: number): void {
  if (log.contents.length <= head) return;
  log.ghosts.push({ epoch: log.epoch, offset: head + 1, contents: log.contents.slice(head) });
  log.contents.length = head;
  if (log.states !== undefined) log.states.length = head;
  for (const gone of [log.removed, log.replaced]) for (const offset of gone) if (offset > head) gone.delete(offset);
}

/** Whether this very event was durable once in that epoch, and was lost with a rollback. */
export function isGhost(log: Log, epoch: string, offset: number, content: string): boolean {
  return log.ghosts.some(
    (ghosts) =>
      ghosts.epoch === epoch && ghosts.contents[offset - ghosts.offset] === content && offset >= ghosts.offset,
  );
}

/** What a reader is to see of `offset` … `through`: one content, or several joined (ST-12). Undefined: not durable. */
export function contentOf(log: Log, offset: number, through: number): string | undefined {
  if (offset === through) return log.contents[offset - 1];
  if (offset > through || through > log.contents.length) return undefined;
  return log.contents.slice(offset - 1, through).join("");
}

/** Retention removed these. */
export function remove(log: Log, offset: number, through: number): void {
  const isBeginning = areRemoved(log, 1, offset - 1);
  for (let at = offset; at <= through; at += 1) {
    if (!isBeginning && !log.removed.has(at)) log.replaced.add(at);
    log.removed.add(at);
  }
}

/** Whether a keyframe stands for every event from `offset` to `through`: to be moved over these needs no telling. */
export function areReplaced(log: Log, offset: number, through: number): boolean {
  for (let at = offset; at <= through; at += 1) if (!log.replaced.has(at)) return false;
  return true;
}

/** Whether retention removed every event from `offset` to `through`. */
export function areRemoved(log: Log, offset: number, through: number): boolean {
  for (let at = offset; at <= through; at += 1) if (!log.removed.has(at)) return false;
  return true;
}

export function nameOf(log: Log): string {
  return `${log.workspace}:${log.stream}`;
}
