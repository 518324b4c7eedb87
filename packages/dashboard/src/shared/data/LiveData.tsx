/**
 * What the whole page shares: the session, the fleet, the threads, what was sent, the connection's history.
 *
 * Each stream is read once here and given to every view by context, so that two views never disagree. The
 * folds are pure and in files of their own; this file only wires them to React.
 */
import type { DurableSession } from "@holdfast/client/durable";
import type { ControlMethods } from "@holdfast/control/contract";
import { streams } from "@holdfast/control/names";
import { useStream } from "@holdfast/react";
import type { Drafts } from "@holdfast/react/drafts";
import { createContext, type ReactNode, use, useMemo, useSyncExternalStore } from "react";
import type { About } from "../http/signIn.ts";
import type { ConnectionView } from "./connectionStore.ts";
import { draftsOf } from "./drafts.ts";
import { emptyFleet, type FleetState, fleetFromSnapshot, foldFleet } from "./fleetState.ts";
import type { Ledger } from "./ledger.ts";
import { type SendsApi, useSendsStore } from "./sendsStore.ts";
import { emptyThreads, foldThreads, type ThreadsState, threadsFromSnapshot } from "./threadsState.ts";
import { useConnectionView } from "./useConnectionView.ts";
import { useHttpAnswers } from "./useHttpAnswers.ts";

interface Loaded<State> {
  readonly state: State;
  /** False until the first answer: an empty list is then not yet an empty list. */
  readonly isLoaded: boolean;
}

interface Live {
  readonly session: DurableSession<ControlMethods>;
  readonly ledger: Ledger;
  readonly about: About;
  /** Of whoever is signed in now. */
  readonly drafts: Drafts;
  readonly fleet: Loaded<FleetState>;
  readonly threads: Loaded<ThreadsState>;
}

const LiveContext = createContext<Live | undefined>(undefined);
const SendsContext = createContext<SendsApi | undefined>(undefined);
const ConnectionContext = createContext<ConnectionView | undefined>(undefined);
const HttpAnswersContext = createContext<boolean | undefined>(undefined);

export function LiveData(props: {
  readonly session: DurableSession<ControlMethods>;
  readonly ledger: Ledger;
  readonly about: About;
  readonly children: ReactNode;
}): ReactNode {
  const { session, ledger, about } = props;
  const fleet = useStream(streams.fleet, foldFleet, fleetOptions);
  const threads = useStream(streams.threads, foldThreads, threadsOptions);
  const { workspace, id } = useSyncExternalStore(session.onChange, () => session.user) ?? about.user ?? nobody;
  const drafts = useMemo(() => draftsOf(id === undefined ? null : { workspace, id }), [workspace, id]);
  const sends = useSendsStore(session, drafts);
  const connection = useConnectionView(session);
  const httpAnswers = useHttpAnswers(connection.state);
  const isFleetLoaded = isLoaded(fleet.status) || fleet.state !== emptyFleet;
  const isThreadsLoaded = isLoaded(threads.status) || threads.state !== emptyThreads;
  // Every view hangs on this: it is another value only where it says something else.
  const live = useMemo(
    () => ({
      session,
      ledger,
      about,
      drafts,
      fleet: { state: fleet.state, isLoaded: isFleetLoaded },
      threads: { state: threads.state, isLoaded: isThreadsLoaded },
    }),
    [session, ledger, about, drafts, fleet.state, isFleetLoaded, threads.state, isThreadsLoaded],
  );
  return (
    <LiveContext value={live}>
      <ConnectionContext value={connection}>
        <HttpAnswersContext value={httpAnswers}>
          <SendsContext value={sends}>{props.children}</SendsContext>
        </HttpAnswersContext>
      </ConnectionContext>
    </LiveContext>
  );
}

export const useLive = (): Live => provided(use(LiveContext));
export const useSends = (): SendsApi => provided(use(SendsContext));
/** Whether HTTP gets through where no connection does; undefined while nobody has asked. */
export const useHttpAnswersNow = (): boolean | undefined => use(HttpAnswersContext);
export const useConnectionNow = (): ConnectionView => provided(use(ConnectionContext));

const nobody = { workspace: "", id: undefined } as const;
const fleetOptions = { from: "latest", initial: emptyFleet, snapshot: fleetFromSnapshot } as const;
const threadsOptions = { from: "latest", initial: emptyThreads, snapshot: threadsFromSnapshot } as const;

const isLoaded = (status: { readonly kind: string }): boolean => status.kind === "live" || status.kind === "catchingUp";

function provided<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("this component must be inside LiveData");
  return value;
}
