/**
 * The audit as far as somebody has read back, through a filter.
 *
 * Life cycle: the first page at once → one more for each `more` → all of them anew with another filter, and whenever
 * the stream `audit` has something new. Invariant: what was answered stays until there is something newer; an answer
 * that a later question has overtaken is nobody's.
 */
import type { AuditEntry } from "@holdfast/protocol/schema";
import { useRequest, useStream } from "@holdfast/react";
import { useCallback, useEffect, useRef, useState } from "react";
import type { AuditFilter, AuditMethods } from "./auditMethods.ts";

const pageEntries = 50;
const stream = "audit";
const options = { from: "latest", initial: 0 } as const;
const countEvents = (count: number): number => count + 1;

export interface AuditView {
  readonly entries: readonly AuditEntry[] | undefined;
  readonly hasMore: boolean;
  readonly pending: boolean;
  readonly error: Error | undefined;
  more(): void;
}

export function useAudit({ person, action }: AuditFilter): AuditView {
  const { send, pending, error } = useRequest<AuditMethods, "audit.search">("audit.search");
  const { state: news } = useStream(stream, countEvents, options);
  const [shown, setShown] = useState<{ readonly entries: readonly AuditEntry[]; readonly hasMore: boolean }>();
  const pages = useRef(1);
  const reading = useRef(0);
  const read = useCallback(async (): Promise<void> => {
    reading.current += 1;
    const mine = reading.current;
    const wanted = { limit: pageEntries, ...(person !== "" && { person }), ...(action !== "" && { action }) };
    const entries: AuditEntry[] = [];
    let next: string | undefined;
    for (let page = 0; page < pages.current; page += 1) {
      const answer = await send({ ...wanted, ...(next !== undefined && { next }) }).catch(() => undefined);
      if (answer === undefined || mine !== reading.current) return;
      entries.push(...answer.items);
      next = answer.next;
      if (next === undefined) break;
    }
    setShown({ entries, hasMore: next !== undefined });
  }, [send, person, action]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `news` is why it is read again.
  useEffect(() => {
    void read();
    return () => {
      reading.current += 1;
    };
  }, [read, news]);
  const more = useCallback(() => {
    pages.current += 1;
    void read();
  }, [read]);
  return { entries: shown?.entries, hasMore: shown?.hasMore ?? false, pending, error, more };
}
