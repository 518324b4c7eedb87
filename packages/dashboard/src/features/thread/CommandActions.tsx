/**
 * What can be done with a command that has not ended: take it back before it begins, stop it afterwards.
 *
 * Taking back waits for a link, as what is sent does, and follows it in its thread's lane (RQ-4). Whether it came in time
 * the server's log decides; the text of one that was taken back is a draft again, where nothing else is typed there.
 */
import type { ControlMethods } from "@holdfast/control/contract";
import { ProtocolError } from "@holdfast/protocol";
import { useRequest } from "@holdfast/react";
import { type ReactNode, useState } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { placeOf } from "../../shared/data/sendsStore.ts";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";
import type { LadderItem } from "./ladder.ts";

export function CommandActions({ item, thread }: { readonly item: LadderItem; readonly thread: string }): ReactNode {
  const interrupt = useRequest<ControlMethods, "command.interrupt">("command.interrupt");
  const { isAsked, problem, cancel } = useCancel(item, thread);
  const { command, state } = item;
  if (command === undefined || state === "finished") return null;
  const said = problem ?? (interrupt.error === undefined ? undefined : problemText(interrupt.error));
  return (
    <>
      {state === "started" ? (
        <Button
          tone="quiet"
          data-testid="command-stop"
          disabled={interrupt.pending}
          onClick={() => void interrupt.send({ command }).catch(() => undefined)}
        >
          Stop
        </Button>
      ) : (
        <Button tone="quiet" data-testid="command-cancel" disabled={isAsked} onClick={() => void cancel(command)}>
          {isAsked ? "Cancelling …" : "Cancel"}
        </Button>
      )}
      {said !== undefined && (
        <span role="alert" className="text-sm text-danger">
          {said}
        </span>
      )}
    </>
  );
}

function useCancel({ text }: LadderItem, thread: string) {
  const { session, drafts } = useLive();
  const [isAsked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string>();
  const cancel = async (command: string): Promise<void> => {
    setAsked(true);
    setProblem(undefined);
    try {
      await session.call("command.cancel", { command }, { durable: true, lane: thread });
      const place = placeOf({ kind: "thread", thread });
      if (drafts.text(place) === "") drafts.set(place, text);
    } catch (error) {
      setProblem(isTooLate(error) ? "It had begun before it could be taken back." : problemText(error));
    }
    setAsked(false);
  };
  return { isAsked, problem, cancel };
}

const isTooLate = (error: unknown): boolean => error instanceof ProtocolError && error.code === "conflict";
