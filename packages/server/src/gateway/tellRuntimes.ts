/**
 * Tells an app's plugins what happened to a connection. One that throws is told to the log and to nobody else:
 * it runs where a socket opens or closes, and an error that rises from there would end the process (security F7).
 */
import type { PluginRuntime } from "../plugin.ts";
import type { GatewayContext } from "./context.ts";

export function tellRuntimes(
  { runtimes, log }: Pick<GatewayContext, "runtimes" | "log">,
  tell: (runtime: PluginRuntime) => void,
): void {
  for (const runtime of runtimes) {
    try {
      tell(runtime);
    } catch (error) {
      log.error("plugin.failed", { error });
    }
  }
}
