/** What this person may do, as far as the page need know. The server decides; this only spares a refusal. */
import { useConnectionNow, useLive } from "../shared/data/LiveData.tsx";

function useRole(): string | undefined {
  const { about } = useLive();
  const { user } = useConnectionNow();
  return user?.role ?? about.user?.role;
}

/** Whether this person may send, type and open terminals. */
export function useCanOperate(): boolean {
  return useRole() !== "viewer";
}

/** Whether this person may see how the server itself is. */
export function useIsAdmin(): boolean {
  return useRole() === "admin";
}
