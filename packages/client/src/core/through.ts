/** One event through the connection, and what it means for the rooms. */
import type { SessionStatistics } from "../api.ts";
import { stepConnection } from "./connection.ts";
import type { ConnectionEffect, ConnectionEvent } from "./connectionState.ts";
import { send } from "./effects.ts";
import { hello } from "./hello.ts";
import { statisticsApartMs } from "./limits.ts";
import { publicStatistics } from "./publicState.ts";
import { abandon, dropIdentity, loseRooms, welcomeRooms } from "./rooms.ts";
import type { SessionContext, SessionCore } from "./sessionCore.ts";

export function stepThrough(core: SessionCore, event: ConnectionEvent, context: SessionContext): void {
  const { connection } = core;
  const { state: before } = connection;
  const asked: ConnectionEffect[] = [];
  stepConnection(connection, event, { ...context, out: asked });
  for (const effect of asked) {
    switch (effect.kind) {
      case "greet":
        send(context, hello(core, context.now));
        break;
      case "ping":
        ping(core, effect.n, context);
        break;
      case "identityChanged":
        dropIdentity(core, context);
        break;
      default:
        context.out.push(effect);
    }
  }
  const { state } = connection;
  if (state.kind === "open" && before.kind !== "open") welcomeRooms(core, state.welcome, context);
  if (before.attempt !== undefined && state.attempt === undefined) loseRooms(core, before.kind === "open", context);
  if (state.kind === "closed" && before.kind !== "closed") abandon(core, context);
}

/** LV-1; once a minute with the figures (ST-16). */
export function ping(core: SessionCore, n: number, context: SessionContext): void {
  const { now } = context;
  let statistics: SessionStatistics | undefined;
  if (now - core.reportedMs >= statisticsApartMs) {
    core.reportedMs = now;
    statistics = publicStatistics(core, now);
  }
  send(context, { type: "ping", n, visible: core.connection.visible, statistics });
}
