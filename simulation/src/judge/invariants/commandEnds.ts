/**
 * I8 (REL-I19, PB-5): an accepted command reaches exactly one end, and who sent it is told that end, once. Its effects
 * begin at most once, and only after its claim is durable; nothing claims what has ended.
 */
import type { Fail, Invariant } from "../invariant.ts";

interface CommandRecord {
  client: string | undefined;
  isClaimed: boolean;
  effects: number;
  outcome: string | undefined;
  readonly told: string[];
}

export function commandEnds(fail: Fail): Invariant {
  const commands = new Map<string, CommandRecord>();
  const ended = new Set<string>();
  const of = (name: string): CommandRecord => {
    const found = commands.get(name) ?? {
      client: undefined,
      isClaimed: false,
      effects: 0,
      outcome: undefined,
      told: [],
    };
    commands.set(name, found);
    return found;
  };
  return {
    on: {
      commandAccepted({ command, client }) {
        of(command).client = client;
      },
      commandClaimed({ command: name }) {
        const command = of(name);
        if (command.isClaimed) fail("I8", `command ${name} was claimed twice`, { harm: "repeated" });
        if (command.outcome !== undefined) fail("I8", `command ${name} was claimed after its end ${command.outcome}`);
        command.isClaimed = true;
      },
      commandEffect({ command: name }) {
        const command = of(name);
        command.effects += 1;
        if (!command.isClaimed) {
          fail("REL-I19", `the effects of command ${name} began before its claim was durable`, { harm: "phantom" });
        }
        if (command.effects > 1) {
          fail("REL-I19", `the effects of command ${name} began ${command.effects} times`, { harm: "repeated" });
        }
      },
      commandFinished({ command: name, outcome }) {
        const command = of(name);
        if (command.outcome !== undefined) {
          fail("I8", `command ${name} ended twice: ${command.outcome}, then ${outcome}`, { harm: "repeated" });
          return;
        }
        command.outcome = outcome;
      },
      personTold({ command: name, client, outcome }) {
        const command = of(name);
        if (command.outcome !== outcome) {
          fail("I8", `${client} was told that command ${name} ended as ${outcome}, it ended as ${command.outcome}`, {
            harm: "phantom",
          });
        }
        if (command.told.includes(client)) {
          fail("I8", `${client} was told the end of command ${name} twice`, { harm: "repeated" });
        }
        command.told.push(client);
      },
      clientEnded: ({ client }) => void ended.add(client),
    },
    finish(isHealed) {
      if (!isHealed) return;
      for (const [name, { client, outcome, told }] of commands) {
        if (client === undefined) continue;
        if (outcome === undefined) fail("I8", `command ${name} was accepted and has no end`, { harm: "lost" });
        else if (!ended.has(client) && !told.includes(client)) {
          fail("I8", `${client} was never told that command ${name} ended as ${outcome}`, { harm: "lost" });
        }
      }
    },
  };
}
