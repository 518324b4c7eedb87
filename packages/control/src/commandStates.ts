/**
 * The life of a command as one total table: state × step → next state, or null where the step is refused.
 *
 * Everything that changes a command asks {@link nextState} first. Invariants (I8, PB-5): `finished` is left by
 * nothing; `started` is reached once, from `dispatched` only; before `started` a command has no effects, so
 * it may be sent again or expire; after it, it ends by its agent's word, or as lost. What `interrupt` does
 * is not a step where the agent has the command: it asks, and the command ends by its agent's word.
 */
import type { CommandState } from "../contract/index.ts";

export const commandSteps = ["dispatch", "dispatchAgain", "claim", "finish", "expire", "lose", "withdraw"] as const;
/**
 * - `dispatch`: handed to the agent's inbox;
 * - `dispatchAgain`: the same after the agent came back without it;
 * - `claim`: the agent's `command.started` (PB-5);
 * - `finish`: the agent's `command.finished`;
 * - `expire`: too late to begin;
 * - `lose`: the agent that had started it knows nothing of it any more;
 * - `withdraw`: a person took it back before it began; an agent that has it already is refused its claim.
 */
export type CommandStep = (typeof commandSteps)[number];

export const commandTable: Readonly<Record<CommandState, Readonly<Record<CommandStep, CommandState | null>>>> = {
  queued: {
    dispatch: "dispatched",
    dispatchAgain: null,
    claim: null,
    finish: null,
    expire: "finished",
    lose: null,
    withdraw: "finished",
  },
  dispatched: {
    dispatch: null,
    dispatchAgain: "dispatched",
    claim: "started",
    finish: null,
    expire: "finished",
    lose: null,
    withdraw: "finished",
  },
  started: {
    dispatch: null,
    dispatchAgain: null,
    claim: null,
    finish: "finished",
    expire: null,
    lose: "finished",
    withdraw: null,
  },
  finished: {
    dispatch: null,
    dispatchAgain: null,
    claim: null,
    finish: null,
    expire: null,
    lose: null,
    withdraw: null,
  },
};

/** Where `step` leads from `state`; null where it is refused. */
export function nextState(state: CommandState, step: CommandStep): CommandState | null {
  return commandTable[state][step];
}
