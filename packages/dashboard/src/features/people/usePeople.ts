/**
 * The people of the workspace, as many pages as somebody asked for.
 *
 * Life cycle: the first page at once → one more for each `more` → all of them anew after a change and when the page
 * is looked at again, since names and places may have moved. Invariant: what was answered stays until there is something newer.
 */
import type { PersonEntry } from "@holdfast/protocol/schema";
import { useRequest } from "@holdfast/react";
import { useCallback, useEffect, useRef, useState } from "react";
import type { PeopleMethods } from "./peopleMethods.ts";
import { useWhenLookedAt } from "./useWhenLookedAt.ts";

export interface PeopleView {
  readonly people: readonly PersonEntry[] | undefined;
  readonly hasMore: boolean;
  readonly error: Error | undefined;
  more(): void;
  reload(): void;
}

export function usePeople(): PeopleView {
  const { send, error } = useRequest<PeopleMethods, "user.list">("user.list");
  const [shown, setShown] = useState<{ readonly people: readonly PersonEntry[]; readonly hasMore: boolean }>();
  const pages = useRef(1);
  /** Of the newest reading; an older one that ends later is nobody's. */
  const reading = useRef(0);
  const read = useCallback(async (): Promise<void> => {
    reading.current += 1;
    const mine = reading.current;
    const people: PersonEntry[] = [];
    let next: string | undefined;
    for (let page = 0; page < pages.current; page += 1) {
      const answer = await send(next === undefined ? {} : { next }).catch(() => undefined);
      if (answer === undefined || mine !== reading.current) return;
      people.push(...answer.items);
      next = answer.next;
      if (next === undefined) break;
    }
    setShown({ people, hasMore: next !== undefined });
  }, [send]);
  const reload = useCallback(() => void read(), [read]);
  useWhenLookedAt(reload);
  useEffect(
    () => () => {
      reading.current += 1;
    },
    [],
  );
  const more = useCallback(() => {
    pages.current += 1;
    void read();
  }, [read]);
  return { people: shown?.people, hasMore: shown?.hasMore ?? false, error, more, reload };
}
