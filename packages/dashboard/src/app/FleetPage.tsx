/** The right side of the fleet's address: one hint. And what an unknown address shows. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useLive } from "../shared/data/LiveData.tsx";

export function FleetPage(): ReactNode {
  const { fleet } = useLive();
  return (
    <>
      <title>Fleet – Holdfast</title>
      <div className="grid min-w-0 flex-1 place-items-center p-6 text-muted max-md:hidden">
        {fleet.state.agents.size > 0 && <p>Choose an agent to see its threads and send it a command.</p>}
      </div>
    </>
  );
}

export function NotFound(): ReactNode {
  return (
    <>
      <title>Not found – Holdfast</title>
      <div className="flex flex-1 flex-col items-start gap-2 p-6">
        <h1 className="text-lg font-semibold">There is nothing at this address</h1>
        <Link to="/" className="text-accent underline">
          To the fleet
        </Link>
      </div>
    </>
  );
}
