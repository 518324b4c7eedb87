/** One event through the connection, and what it means for the rooms. */
import { stepConnection } from "./connection.ts";
import { type ConnectionEvent, ownedAttempt } from "./connectionState.ts";
import { hello } from "./hello.ts";
import { statisticsApartMs } from "./limits.ts";
import { publicStatistics } from "./publicState.ts";
import { abandon, dropIdentity, loseRooms, welcomeRooms } from "./rooms.ts";
import { type SessionContext, type SessionCore, send } from "./sessionCore.ts";

export function stepThrough(core: SessionCore, event: ConnectionEvent, context: SessionContext): void {
  const before = core.connection.state;
  const { memory, state, effects } = stepConnection(core.connection, event, context.random);
  core.connection = { memory, state };
  for (const effect of effects) {
    switch (effect.kind) {
      case "greet":
        send(context, hello(core, context.now));
        break;
      case "ping":
        ping(core, effect.n, context);
        break;
      case "authenticate":
        send(context, { type: "auth", token: effect.token });
        break;
      case "leave":
        send(context, { type: "leave" });
        break;
      case "identityChanged":
        dropIdentity(core, context);
        break;
      default:
        context.out.push(effect);
    }
  }
  if (state.kind === "open" && before.kind !== "open") welcomeRooms(core, state.welcome, context);
  if (ownedAttempt(before) !== undefined && ownedAttempt(state) === undefined)
    loseRooms(core, before.kind === "open", context);
  if (state.kind === "closed" && before.kind !== "closed") abandon(core, context);
}

/** LV-1; once a minute with the figures (ST-16). */
export function ping(core: SessionCore, n: number, context: SessionContext): void {
  const isDue = context.now - core.reportedMs >= statisticsApartMs;
  if (isDue) core.reportedMs = context.now;
  const statistics = isDue ? publicStatistics(core, context.now) : undefined;
  send(context, { type: "ping", n, visible: core.connection.memory.visible, statistics });
}
