/** The connection's facts for whoever shows them, as of now. */

import type { ConnectionView } from "../../shared/data/connectionStore.ts";
import { useConnectionNow, useHttpAnswersNow } from "../../shared/data/LiveData.tsx";
import { useNow } from "../../shared/ui/useNow.ts";
import { type ConnectionFacts, connectionFacts } from "./connectionFacts.ts";

export function useConnectionFacts(): {
  readonly connection: ConnectionView;
  readonly now: number;
  readonly facts: ConnectionFacts;
} {
  const connection = useConnectionNow();
  const now = useNow();
  const { freshAt } = connection.history;
  const httpAnswers = useHttpAnswersNow();
  const address = window.location.origin;
  return { connection, now, facts: connectionFacts({ ...connection, freshAt, now, address, httpAnswers }) };
}
