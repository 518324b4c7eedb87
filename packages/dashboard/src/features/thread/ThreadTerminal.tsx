/** The thread's terminal, joined to the session: what is typed goes to the agent, what came wrong is said. */
import { terminalOf } from "@holdfast/control/names";
import type { ThreadState } from "@holdfast/react/thread";
import { type ReactNode, Suspense, useEffectEvent, useMemo, useState } from "react";
import { isLinked } from "../../shared/data/connectionHistory.ts";
import { useConnectionNow, useLive } from "../../shared/data/LiveData.tsx";
import { problemText } from "../../shared/format/problem.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Trouble } from "../../shared/ui/Trouble.tsx";
import type { Grid } from "./terminal/grid.ts";
import { TerminalInput, type TerminalInputProblem } from "./terminal/terminalInput.ts";
import { LazyTerminal } from "./terminalChunk.ts";
import { useTerminalControl } from "./terminalControl.ts";
import type { ThreadFeed } from "./threadFeed.ts";

export function ThreadTerminal(props: {
  readonly thread: string;
  readonly feed: ThreadFeed;
  readonly state: ThreadState;
  readonly interactive: boolean;
  readonly canOperate: boolean;
}): ReactNode {
  const { thread, feed, state, interactive } = props;
  const { session } = useLive();
  const connection = useConnectionNow();
  const [wantsControl, setControl] = useTerminalControl(thread);
  const [problem, setProblem] = useState<string>();
  const isOpen = state.closed === null;
  const control = wantsControl && isOpen && props.canOperate;

  const input = useMemo(
    () =>
      new TerminalInput({
        isLinked: () => isLinked(session.state),
        send: (data) =>
          session.call("terminal.write", { thread, terminal: terminalOf(thread), data }, { lane: thread }),
        onProblem: (what) => setProblem(problemOf(what)),
      }),
    [session, thread],
  );
  const resize = useEffectEvent((grid: Grid): void => {
    if (!isLinked(connection.state)) return;
    session
      .call(
        "terminal.resize",
        { thread, terminal: terminalOf(thread), cols: grid.cols, rows: grid.rows },
        { lane: thread },
      )
      .catch((error: unknown) => setProblem(`The new size did not reach the program. ${problemText(error)}`));
  });

  return (
    <Trouble what="The terminal could not be loaded">
      <Suspense fallback={<p className="flex-1 bg-terminal p-4 text-muted">Loading the terminal …</p>}>
        <LazyTerminal
          thread={thread}
          source={feed}
          interactive={interactive}
          agentGrid={state.size}
          control={control}
          onControl={props.canOperate && isOpen ? setControl : undefined}
          onType={(text) => {
            setProblem(undefined);
            input.type(text);
          }}
          onResize={(grid) => resize(grid)}
          notice={noticeOf(state, interactive, problem)}
        />
      </Suspense>
    </Trouble>
  );
}

/** Notes are drawn among the commands' lines; an interactive program's screen has no room for them. */
function noticeOf(state: ThreadState, interactive: boolean, problem: string | undefined): string | undefined {
  if (state.closed !== null) {
    const { exitCode, reason } = state.closed;
    const parts = [
      exitCode === null ? undefined : `exit ${exitCode}`,
      reason === null ? undefined : visibleText(reason),
    ];
    return ["This terminal is closed", ...parts.filter((part) => part !== undefined)].join(" · ");
  }
  if (problem !== undefined) return problem;
  return interactive && state.note !== null ? `note: ${visibleText(state.note)}` : undefined;
}

function problemOf(problem: TerminalInputProblem): string {
  switch (problem.kind) {
    case "notLinked":
      return "No connection: keys are not sent, since the screen may be old.";
    case "tooLarge":
      return `This paste of ${problem.bytes.toLocaleString("en-GB")} bytes is too large: put it into a file.`;
    case "failed":
      return `Keys may not have arrived: look at the screen before you type on. ${problemText(problem.error)}`;
  }
}
