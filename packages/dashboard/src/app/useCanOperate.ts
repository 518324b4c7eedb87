/** Whether this person may send, type and open terminals. The server decides; this only spares a refusal. */
import { useConnectionNow, useLive } from "../shared/data/LiveData.tsx";

export function useCanOperate(): boolean {
  const { about } = useLive();
  const { user } = useConnectionNow();
  const role = user?.role ?? about.user?.role;
  return role !== "viewer";
}
