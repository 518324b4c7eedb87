/** The ledger in one line: `complete to #48,213 · 0 lost · 0 repeated · 0 reordered`. Pure. */
import type { LedgerFaults, LedgerTotals } from "../../shared/data/ledger.ts";

export function ledgerText({ through, lost, repeated, reordered, unchecked }: LedgerTotals): string {
  return [
    `complete to #${number(through)}`,
    `${number(lost)} lost`,
    `${number(repeated)} repeated`,
    `${number(reordered)} reordered`,
    ...(unchecked === 0 ? [] : [`${number(unchecked)} being asked for again`]),
  ].join(" · ");
}

export const isSound = ({ lost, repeated, reordered }: LedgerFaults): boolean => lost + repeated + reordered === 0;

const number = (value: number): string => value.toLocaleString("en-GB");
