/**
 * The server of a running Holdfast, which may be started again in its place: for whoever wants to see a restart.
 *
 * Life cycle: opened → closed with grace and opened anew with the same options, on the port that was really taken, as often as
 * asked → closed for good. Invariants: one restart at a time; after `close` nothing is opened any more. One that fails to
 * open again has ended: `failed` rejects, and the process ends as where a start fails.
 */
import type { Server, ServerOptions } from "@holdfast/server";
import type { Log } from "@holdfast/server/log";

export interface RestartingServer {
  /** The one of now; of a restart under way the one before. */
  readonly now: Server;
  /** Never resolves. */
  readonly failed: Promise<never>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Rejects as `createServer` does. */
export async function openRestarting(
  createServer: (options: ServerOptions) => Promise<Server>,
  options: ServerOptions,
  log: Log,
): Promise<RestartingServer> {
  let fail = (_error: unknown): void => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Whoever waits for it hears of it; nobody need wait.
  failed.catch(() => {});
  let restarting: Promise<void> | undefined;
  let isClosed = false;

  const again = async (): Promise<void> => {
    log.info("server.restarting", { port: now.port });
    await now.close();
    if (isClosed) return;
    now = await createServer({ ...options, restart, port: now.port });
    log.info("server.restarted", { port: now.port });
  };
  const restart = (): void => {
    if (isClosed || restarting !== undefined) return;
    restarting = again()
      .catch(fail)
      .finally(() => {
        restarting = undefined;
      });
  };

  let now = await createServer({ ...options, restart });
  return {
    get now() {
      return now;
    },
    failed,
    async close() {
      isClosed = true;
      await restarting;
      await now.close();
    },
  };
}
