/** The first message of a connection (OP-2), and the only one before `welcome`. */
import { type From, limits } from "@holdfast/protocol";
import { helloCharactersMax } from "./limits.ts";
import { publicStatistics } from "./publicState.ts";
import type { SessionCore } from "./sessionCore.ts";
import { lowestFrom, noteAsked } from "./stream.ts";
import type { Stream } from "./streamState.ts";

/** Subscriptions ride along as far as they fit (TR-3); the others follow the `welcome`. `now`: monotonic ms. */
export function hello(core: SessionCore, now: number): { readonly type: "hello"; readonly [field: string]: unknown } {
  const { attempt, visible, lastClose, token, expect, slot } = core.connection;
  const message = {
    type: "hello",
    protocol: limits.protocolVersion,
    instance: core.instance,
    attempt,
    client: core.client,
    visible,
    lastClose: lastClose && { ...lastClose, statistics: publicStatistics(core, now) },
    token,
    expect,
    slot,
    ...core.room?.hello(),
  } as const;
  let characters = JSON.stringify(message).length;
  const subscribe: { stream: string; sub: number; from: From }[] = [];
  for (const stream of core.streams.values()) {
    const from = lowestFrom(stream);
    characters += stream.name.length + 160;
    if (characters > helloCharactersMax || subscribe.length >= limits.subscriptionsMax) break;
    if (from !== undefined) subscribe.push(ask(core, stream, from));
  }
  return { ...message, subscribe };
}

/** Takes the next `sub` for a stream (ST-2). */
export function ask(core: SessionCore, stream: Stream, from: From): { stream: string; sub: number; from: From } {
  core.subs += 1;
  noteAsked(stream, core.subs, from);
  return { stream: stream.name, sub: core.subs, from };
}
