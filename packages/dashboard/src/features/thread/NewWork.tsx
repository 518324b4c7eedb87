/** Beginning something with an agent: a command in a new thread, or, with a shell, a terminal of its own. */
import type { Agent, ControlMethods } from "@holdfast/control/contract";
import { useRequest } from "@holdfast/react";
import { defaultSize } from "@holdfast/react/thread";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { useSends } from "../../shared/data/LiveData.tsx";
import { sendsOfAgent } from "../../shared/data/sends.ts";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { TerminalIcon } from "../../shared/ui/icons.tsx";
import { CommandList } from "./CommandList.tsx";
import { Composer } from "./Composer.tsx";
import { itemOfSend } from "./ladder.ts";
import { beginInControl } from "./terminalControl.ts";
import { offlineHint, writeLabel, writing } from "./writing.ts";

export function NewThreadComposer({ agent }: { readonly agent: Agent }): ReactNode {
  const { sends } = useSends();
  const navigate = useNavigate();
  const items = useMemo(() => sendsOfAgent(sends, agent.id).map(itemOfSend), [sends, agent.id]);
  return (
    <>
      <CommandList items={items} />
      <Composer
        key={agent.id}
        target={{ kind: "agent", agent: agent.id }}
        isProse={agent.kind === "assistant"}
        label={`${writeLabel(agent)} to begin a thread`}
        hint={agent.status === "offline" ? offlineHint(agent) : undefined}
        onAccepted={(thread) => void navigate({ to: "/threads/$thread", params: { thread }, state: writing })}
      />
    </>
  );
}

export function NewTerminalButton({ agent }: { readonly agent: Agent }): ReactNode {
  const create = useRequest<ControlMethods, "thread.create">("thread.create");
  const navigate = useNavigate();
  if (agent.kind !== "shell" || agent.status === "offline") return null;
  const open = async (): Promise<void> => {
    const answer = await create.send({ agent: agent.id, kind: "terminal", ...defaultSize }).catch(() => undefined);
    if (answer === undefined) return;
    beginInControl(answer.thread.id);
    await navigate({ to: "/threads/$thread", params: { thread: answer.thread.id } });
  };
  return (
    <>
      <Button data-testid="new-terminal" disabled={create.pending} onClick={() => void open()}>
        <TerminalIcon />
        New terminal
      </Button>
      {create.error !== undefined && create.error !== null && (
        <p role="alert" className="w-full text-sm text-danger">
          {problemText(create.error)}
        </p>
      )}
    </>
  );
}
