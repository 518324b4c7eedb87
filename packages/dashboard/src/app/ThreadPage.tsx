/** One thread: who it is with, where it stands, and its view. */
import type { Thread } from "@holdfast/control/contract";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { ThreadList } from "../features/fleet/ThreadList.tsx";
import { ArchiveButton, ArchivedNotice } from "../features/thread/ArchiveButton.tsx";
import { ThreadView } from "../features/thread/ThreadView.tsx";
import { agentMark } from "../shared/data/agentWords.ts";
import { type KnownAgent, useKnownAgent, useKnownThread } from "../shared/data/useKnown.ts";
import { visibleText } from "../shared/format/visibleText.ts";
import { Button } from "../shared/ui/Button.tsx";
import { SearchIcon } from "../shared/ui/icons.tsx";
import { NotKnown } from "../shared/ui/NotKnown.tsx";
import { StateMark } from "../shared/ui/StateMark.tsx";
import { BackLink } from "./BackLink.tsx";
import { useCanOperate } from "./roles.ts";

export function ThreadPage(): ReactNode {
  const { thread: id } = useParams({ from: "/threads/$thread" });
  const thread = useKnownThread(id);
  const agent = useKnownAgent(thread.kind === "known" ? thread.it.agent : undefined);
  // What kind of thread it is decides how it is drawn, so that has to be known first.
  if (thread.kind !== "known" || agent.kind !== "known") {
    return (
      <div className="flex flex-1 flex-col items-start gap-3 p-6">
        <BackLink to="/" label="Fleet" />
        <NotKnown known={thread.kind === "known" ? agent : thread} what="thread" />
      </div>
    );
  }
  return (
    <>
      <section
        aria-label={`Threads of ${visibleText(agent.it.name)}`}
        className="w-60 shrink-0 overflow-y-auto border-r border-line bg-surface max-lg:hidden"
      >
        <ThreadList
          key={agent.it.id}
          agent={agent.it.id}
          chosen={id}
          heading={
            <Link to="/agents/$agent" params={{ agent: agent.it.id }} className="hover:underline">
              Threads of {visibleText(agent.it.name)}
            </Link>
          }
        />
      </section>
      <ThreadOf key={id} thread={thread.it} agent={agent.it} />
    </>
  );
}

function ThreadOf({ thread, agent }: { readonly thread: Thread; readonly agent: KnownAgent }): ReactNode {
  const canOperate = useCanOperate() && agent.removedAt === undefined;
  const mayArchive = useCanOperate();
  const [isSearching, setSearching] = useState(false);
  const title = visibleText(thread.title);
  const isChat = agent.kind === "assistant";
  return (
    <section aria-label={`Thread ${title}`} className="flex min-w-0 flex-1 flex-col">
      {/* A thread's title is what somebody asked for, and a tab's is kept in the browser's history (L2). */}
      <title>{`Thread with ${visibleText(agent.name)} – Holdfast`}</title>
      <header className="flex min-h-12 flex-wrap items-center gap-x-3 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/agents/$agent" agent={agent.id} label="Threads" />
        <h1 className="min-w-0 flex-1 truncate text-lg font-semibold">{title}</h1>
        {isChat && (
          <Button
            tone="quiet"
            data-testid="chat-search"
            aria-label="Search in this thread"
            aria-keyshortcuts="/"
            aria-pressed={isSearching}
            onClick={() => setSearching(!isSearching)}
          >
            <SearchIcon />
          </Button>
        )}
        {mayArchive && <ArchiveButton thread={thread} />}
        <Link
          to="/agents/$agent"
          params={{ agent: agent.id }}
          className="inline-flex min-w-0 items-center gap-2 rounded-md px-1 text-sm hover:bg-hover max-sm:hidden"
        >
          <StateMark shape={agentMark(agent)} label={stateOf(agent)} />
          <span className="truncate">{visibleText(agent.name)}</span>
        </Link>
      </header>
      <ArchivedNotice thread={thread} canOperate={mayArchive} />
      <ThreadView
        thread={thread}
        agent={agent}
        canOperate={canOperate}
        search={{ isOpen: isSearching, onOpen: setSearching }}
      />
    </section>
  );
}

function stateOf({ removedAt, status, activity }: KnownAgent): string {
  if (removedAt !== undefined) return "removed";
  return status === "online" ? activity : status;
}
