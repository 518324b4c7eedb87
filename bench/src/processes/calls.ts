/**
 * Calls between the conductor and its child processes, over Node's IPC channel.
 *
 * A child serves named handlers, the conductor calls them and gets a promise; what a handler throws rejects
 * it with the same words. Invariant: a child never outlives its conductor: when the channel closes it exits.
 * A call has no limit of its own, for a run lasts as long as it was asked to; {@link Child.stop} ends any.
 */
import { type ChildProcess, fork } from "node:child_process";

// biome-ignore lint/suspicious/noExplicitAny: the only type that every set of handlers fits
export type Face = Record<string, (argument: any) => unknown>;

export interface Child<Handlers extends Face> {
  call<Name extends keyof Handlers & string>(
    name: Name,
    argument: Parameters<Handlers[Name]>[0],
  ): Promise<Awaited<ReturnType<Handlers[Name]>>>;
  /** Lets it end by itself, then ends it. */
  stop(): Promise<void>;
}

interface CallMessage {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
type AnswerMessage = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

const stopMsMax = 10_000;

/** Starts `module` as a child of this process. */
export function startChild<Handlers extends Face>(module: URL, nodeFlags: readonly string[] = []): Child<Handlers> {
  const child = fork(module, {
    execArgv: ["--disable-warning=ExperimentalWarning", ...nodeFlags],
    serialization: "advanced",
  });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let next = 1;
  let ended = false;

  child.on("message", (message: AnswerMessage) => {
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if ("error" in message) waiter?.reject(new Error(message.error));
    else waiter?.resolve(message.value as never);
  });
  child.once("exit", (code, signal) => {
    ended = true;
    for (const { reject } of waiting.values())
      reject(new Error(`${module.pathname.split("/").at(-1)} ended early (${signal ?? `code ${code}`})`));
  });

  return {
    call: (name, argument) =>
      new Promise((resolve, reject) => {
        if (ended) {
          reject(new Error(`${module.pathname.split("/").at(-1)} has ended; "${name}" cannot be called`));
          return;
        }
        const id = next++;
        waiting.set(id, { resolve, reject });
        child.send({ id, name, argument } satisfies CallMessage);
      }),
    stop: () => end(child, () => ended),
  };
}

async function end(child: ChildProcess, hasEnded: () => boolean): Promise<void> {
  if (hasEnded()) return;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.disconnect();
  const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
  await exited;
  clearTimeout(timer);
}

/** The child's side. `ended` runs when the conductor is gone; then the process exits. */
export function serveCalls(handlers: Face, ended: () => Promise<void> | void): void {
  process.on("message", async ({ id, name, argument }: CallMessage) => {
    const answer = (message: AnswerMessage): void => {
      if (process.connected) process.send?.(message);
    };
    try {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`there is no call "${name}"`);
      answer({ id, value: await handler(argument) });
    } catch (error) {
      answer({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.once("disconnect", async () => {
    await ended();
    process.exit(0);
  });
}
