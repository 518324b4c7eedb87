/** All agents, grouped by what they need from the person; by name within a group, so that nothing jumps. */
import { type ReactNode, useMemo } from "react";
import { type FleetGroup, grouped } from "../../shared/data/fleetState.ts";
import { useLive } from "../../shared/data/LiveData.tsx";
import { AgentRow } from "./AgentRow.tsx";

const names: Record<FleetGroup, string> = {
  attention: "Needs attention",
  working: "Working",
  idle: "Idle",
  offline: "Offline",
};

export function FleetList({ chosen }: { readonly chosen: string | undefined }): ReactNode {
  const { fleet } = useLive();
  const groups = useMemo(() => grouped(fleet.state), [fleet.state]);
  if (groups.length === 0) return <EmptyFleet isLoaded={fleet.isLoaded} />;
  return (
    <div data-fleet="" className="flex flex-col gap-3 p-2">
      {groups.map(({ group, agents }) => (
        <section key={group} aria-label={names[group]}>
          <h2 className="flex justify-between px-2 pb-1 text-xs font-semibold text-muted">
            {names[group]}
            <span className="font-normal tabular-nums">{agents.length}</span>
          </h2>
          <ul>
            {agents.map((agent) => (
              <li key={agent.id}>
                <AgentRow agent={agent} isChosen={agent.id === chosen} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function EmptyFleet({ isLoaded }: { readonly isLoaded: boolean }): ReactNode {
  if (!isLoaded) return <p className="p-4 text-muted">Loading the fleet …</p>;
  return (
    <div className="flex flex-col gap-2 p-4 text-muted">
      <p>Agents will appear here: programs that carry out what you send them, on this machine or another.</p>
      <p>
        This machine's shell comes with the server. To add a program, run{" "}
        <code className="rounded-sm bg-hover px-1 font-mono text-sm text-text">holdfast agent -- &lt;command&gt;</code>.
      </p>
    </div>
  );
}
