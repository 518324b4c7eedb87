/**
 * The transition table: every event, every state, one named rule (CL-2, CL-6).
 *
 * Total by type: an event without a row, or a row that is too short, does not compile, and neither does a state
 * without a column. That an event means nothing is a decision as much as any other rule, so it is written out:
 * `_`. The rules themselves stand beside what they are about.
 */
import { answerToken, beginAttempt, explainUnopened, hintWaiting, reconnectNow } from "./attempt.ts";
import type { EventKind, Rule, StateKind } from "./connectionState.ts";
import { closeAtOnce, closeGracefully, endSocket, lose, rememberBye } from "./ending.ts";
import {
  hear,
  hintOpen,
  lookOpen,
  noteAuthenticated,
  noteAuthRefused,
  noteSpread,
  probe,
  refreshAnswered,
  refreshToken,
} from "./living.ts";
import { abandonOpening, greet, welcome } from "./opening.ts";
import { ignore as _, rememberHint } from "./step.ts";

/** The columns. */
export const tableStates = [
  "idle",
  "authenticating",
  "waiting",
  "connecting",
  "greeting",
  "open",
  "closing",
  "stopped",
  "closed",
] as const;

type Columns = StateKind extends (typeof tableStates)[number] ? typeof tableStates : never;
type Row<States extends readonly StateKind[], Event extends EventKind> = {
  readonly [Column in keyof States]: Rule<States[Column], Event>;
};

export const connectionTable: { readonly [Event in EventKind]: Row<Columns, Event> } = {
  start: [beginAttempt, _, _, _, _, _, _, _, _],
  tokenAnswered: [_, answerToken, explainUnopened, explainUnopened, _, refreshAnswered, _, _, _],
  socketOpened: [_, _, _, greet, _, _, _, _, _],
  socketClosed: [_, _, _, lose, lose, lose, closeAtOnce, _, _],
  frameHeard: [_, _, _, _, _, hear, _, _, _],
  welcome: [_, _, _, _, welcome, _, _, _, _],
  bye: [_, _, _, _, rememberBye, rememberBye, _, _, _],
  pong: [_, _, _, _, _, noteSpread, _, _, _],
  expiring: [_, _, _, _, _, refreshToken, _, _, _],
  authenticated: [_, _, _, _, _, noteAuthenticated, _, _, _],
  authRefused: [_, _, _, _, _, noteAuthRefused, _, _, _],
  due: [_, _, beginAttempt, abandonOpening, abandonOpening, lookOpen, endSocket, _, _],
  hinted: [
    rememberHint,
    rememberHint,
    hintWaiting,
    rememberHint,
    rememberHint,
    hintOpen,
    rememberHint,
    rememberHint,
    _,
  ],
  // A question for a token, or an opening, is under way already: a second owner of it would be F08.
  reconnectAsked: [beginAttempt, _, reconnectNow, _, _, probe, _, reconnectNow, _],
  closeAsked: [closeAtOnce, closeAtOnce, closeAtOnce, closeAtOnce, closeAtOnce, closeGracefully, _, closeAtOnce, _],
};
