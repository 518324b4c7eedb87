/** Takes an agent that is gone out of the fleet, for admins: asked for twice, since it cannot be undone. */
import type { Agent, ControlMethods } from "@holdfast/control/contract";
import { useRequest } from "@holdfast/react";
import { type ReactNode, useState } from "react";
import { count } from "../../shared/format/count.ts";
import { problemText } from "../../shared/format/problem.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Button } from "../../shared/ui/Button.tsx";

/** Only an agent that is offline can be removed. */
export function RemoveAgent({ agent }: { readonly agent: Agent }): ReactNode {
  const [isSure, setSure] = useState(false);
  const remove = useRequest<ControlMethods, "agent.remove">("agent.remove");
  if (agent.status !== "offline") return null;
  const name = visibleText(agent.name);
  if (!isSure) {
    return (
      <Button tone="quiet" aria-label={`Remove ${name}`} data-testid="agent-remove" onClick={() => setSure(true)}>
        Remove
      </Button>
    );
  }
  return (
    <section aria-label={`Remove ${name}`} className="flex w-full flex-wrap items-center gap-2">
      <p className="min-w-0">
        Remove {name} from the fleet for good? {waiting(agent)}Its threads stay. A process of it that is started again
        comes back as a new agent, where its key allows that.
      </p>
      <Button
        tone="accent"
        data-testid="agent-remove-sure"
        disabled={remove.pending}
        onClick={() => void remove.send({ agent: agent.id }).catch(() => undefined)}
      >
        Remove
      </Button>
      <Button onClick={() => setSure(false)}>Keep</Button>
      {remove.error !== undefined && (
        <p role="alert" className="w-full text-sm text-danger">
          {problemText(remove.error)}
        </p>
      )}
    </section>
  );
}

function waiting({ queued, command }: Agent): string {
  const unfinished = queued + (command === null ? 0 : 1);
  return unfinished === 0 ? "" : `What it has not finished ends with it: ${count(unfinished, "command")}. `;
}
