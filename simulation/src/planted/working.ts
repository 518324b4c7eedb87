/** Bugs of the control centre and its agents: claims, presence, queues. */
import type { Bug } from "./bug.ts";

export const working: readonly Bug[] = [
  {
    id: "place-not-freed",
    file: "packages/control/src/publishing.ts",
    find: '  if (accepted.some((event) => event.event === "command.finished"))\n    await dispatchNext',
    replace: '  if (accepted.every((event) => event.event === "command.finished"))\n    await dispatchNext',
    what: "The next command is handed out only where an end came in a publish of its own.",
    knownAs: "F75",
    madeBlind: true,
  },
  {
    id: "lost-command-never-ends",
    file: "packages/control/src/returns.ts",
    find: '  const checked = brings === "nothing" ? [] : started.map((command) => command.id);',
    replace: "  const checked: string[] = [];",
    what: "A command whose agent has come back without it is shown as running for ever.",
    knownAs: "F58",
    madeBlind: true,
  },
  {
    id: "unclaimed-not-handed-over-again",
    file: "packages/control/src/returns.ts",
    find: '  for (const command of missing) if (command.state === "dispatched") await dispatchAgain(tx, command);\n',
    replace: "",
    what: "A command that its agent received and lost before it claimed it is never handed over again.",
    knownAs: "F75",
    madeBlind: true,
  },
  {
    id: "effect-before-claim",
    file: "packages/agent/src/commands.ts",
    find: "    if (await this.claim(order, thread)) this.begin(order, thread);\n    else {",
    replace:
      "    const claimed = this.claim(order, thread);\n    this.begin(order, thread);\n    if (!(await claimed)) {",
    what: "An agent begins a command while its claim is still under way.",
    knownAs: "effect before claim",
    madeBlind: true,
  },
  {
    id: "generation-not-compared",
    file: "packages/control/src/publishing.ts",
    find: "  if (Number(row.generation) !== generation) {",
    replace: "  if (Number(row.generation) < generation) {",
    what: "An older process of an agent may still publish.",
    knownAs: "fence check removed",
    madeBlind: true,
  },
  {
    id: "late-close-of-old-socket",
    file: "packages/control/src/presenceTasks.ts",
    find: "  return change.from.includes(agent.connection) && agent.status !== change.to;",
    replace: "  return agent.status !== change.to;",
    what: "The end of an older connection sets an agent offline that has come back over a newer one.",
    knownAs: "X6",
    madeBlind: true,
  },
];
