/** The ledger, stream by stream: complete to where, and what was wrong. */
import type { ReactNode } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { useNow } from "../../shared/ui/useNow.ts";
import { isSound, ledgerText } from "../connection/ledgerWords.ts";

/** The newest; the totals know all. */
const rowsMax = 12;

export function LedgerTable(): ReactNode {
  const { ledger } = useLive();
  useNow();
  const lines = ledger.lines();
  const totals = ledger.totals();
  return (
    <div className="flex flex-col gap-2">
      <h2 className="text-xs font-semibold text-muted">Ledger</h2>
      <p
        data-testid="ledger"
        data-sound={isSound(totals)}
        className={`text-lg tabular-nums ${isSound(totals) ? "" : "text-danger"}`}
      >
        {ledgerText(totals)}
      </p>
      <p className="max-w-prose text-sm text-muted">
        Counted beside the session, by the numbers of what this page was handed: what is passed over is asked for once
        more before it counts as lost.
      </p>
      <table className="w-full text-left text-sm tabular-nums">
        <thead className="text-muted">
          <tr>
            <th scope="col" className="py-1 pr-2 sm:pr-4 font-normal">
              Stream
            </th>
            <th scope="col" className="py-1 pr-2 sm:pr-4 text-right font-normal">
              Complete to
            </th>
            <th scope="col" className="py-1 pr-2 sm:pr-4 text-right font-normal">
              Lost
            </th>
            <th scope="col" className="py-1 pr-2 sm:pr-4 text-right font-normal">
              Repeated
            </th>
            <th scope="col" className="py-1 text-right font-normal">
              Reordered
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.slice(0, rowsMax).map((line) => (
            <tr key={line.stream} className="border-t border-line">
              <th
                scope="row"
                className="max-w-24 truncate sm:max-w-48 py-1 pr-2 sm:pr-4 font-mono font-normal"
                title={line.stream}
              >
                {line.stream}
              </th>
              <td className="py-1 pr-2 sm:pr-4 text-right">#{line.through.toLocaleString("en-GB")}</td>
              <td className="py-1 pr-2 sm:pr-4 text-right">{line.lost}</td>
              <td className="py-1 pr-2 sm:pr-4 text-right">{line.repeated}</td>
              <td className="py-1 text-right">{line.reordered}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
