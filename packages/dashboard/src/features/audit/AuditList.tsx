/** Who has done what, the newest first: a filter by person and by kind, one row a deed, all of it when opened. */
import type { AuditEntry } from "@holdfast/protocol/schema";
import { type FormEvent, type ReactNode, useState } from "react";
import { problemText } from "../../shared/format/problem.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Age } from "../../shared/ui/Age.tsx";
import { Button } from "../../shared/ui/Button.tsx";
import { StateMark } from "../../shared/ui/StateMark.tsx";
import type { AuditFilter } from "./auditMethods.ts";
import { deedText, factsOf, kinds } from "./auditWords.ts";
import { useAudit } from "./useAudit.ts";

const personCharsMax = 200;
const everything: AuditFilter = { person: "", action: "" };

export function AuditList(): ReactNode {
  const [filter, setFilter] = useState(everything);
  const { entries, hasMore, pending, error, more } = useAudit(filter);
  const isFiltered = filter.person !== "" || filter.action !== "";
  return (
    <section aria-label="Entries" className="flex flex-col gap-2">
      <Filter filter={filter} onFilter={setFilter} />
      {error !== undefined && (
        <p role="alert" className="text-danger">
          {problemText(error)}
        </p>
      )}
      {entries === undefined && error === undefined && <p className="text-muted">Loading …</p>}
      <p aria-live="polite" className="text-muted" data-testid="audit-empty">
        {entries?.length === 0 && (isFiltered ? nothingFound(hasMore) : nothingYet)}
      </p>
      <ul className="flex flex-col" data-testid="audit">
        {entries?.map((entry) => (
          <li key={entry.offset} className="border-b border-line">
            <Row entry={entry} />
          </li>
        ))}
      </ul>
      {hasMore && (
        <div>
          <Button onClick={more} disabled={pending} data-testid="audit-more">
            Show older
          </Button>
        </div>
      )}
    </section>
  );
}

const nothingYet =
  "What somebody does to others’ rights, secrets or work is listed here; nobody has done anything of the kind yet.";

function nothingFound(hasMore: boolean): string {
  return hasMore ? "Nothing of the kind so far back; older entries may have it." : "Nothing of the kind is kept.";
}

/** Who is sought when it is sent, what at once. */
function Filter(props: { readonly filter: AuditFilter; readonly onFilter: (filter: AuditFilter) => void }): ReactNode {
  const { filter, onFilter } = props;
  const [person, setPerson] = useState(filter.person);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onFilter({ ...filter, person: person.trim() });
  };
  return (
    <form onSubmit={submit} aria-label="Filter" className="flex flex-wrap items-center gap-2">
      <input
        type="search"
        aria-label="Name or id of whoever did it"
        placeholder="Who: a name, an id …"
        data-testid="audit-person"
        value={person}
        maxLength={personCharsMax}
        autoComplete="off"
        onChange={(event) => setPerson(event.target.value)}
        className="h-7 w-full max-w-72 rounded-md border border-line-strong bg-raised px-2 text-text"
      />
      <select
        aria-label="What was done"
        data-testid="audit-action"
        value={filter.action}
        onChange={(event) => onFilter({ person: person.trim(), action: event.target.value })}
        className="h-7 rounded-md border border-line-strong bg-raised px-1 text-sm text-text"
      >
        {kinds.map(([action, kind]) => (
          <option key={action} value={action}>
            {kind}
          </option>
        ))}
      </select>
      <Button type="submit" data-testid="audit-find">
        Find
      </Button>
    </form>
  );
}

function Row({ entry }: { readonly entry: AuditEntry }): ReactNode {
  const { by, at, from, refused } = entry;
  return (
    <details data-testid="audit-entry" data-action={entry.action} data-refused={refused !== undefined}>
      <summary className="grid cursor-pointer grid-cols-[1fr_auto] items-baseline gap-x-3 rounded-md px-2 py-1.5 hover:bg-hover sm:grid-cols-[minmax(0,1fr)_10rem_4rem]">
        <span className="flex min-w-0 items-center gap-1.5">
          {refused !== undefined && <StateMark shape="failed" label="refused" />}
          <span className="min-w-0 break-words">
            <span className="font-medium">{visibleText(by.name)}</span> {deedText(entry)}
          </span>
        </span>
        <span className="truncate text-sm text-muted max-sm:order-last">{visibleText(from?.address ?? "")}</span>
        <Age at={at} className="text-right text-xs text-muted" />
      </summary>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 px-2 pt-1 pb-3 text-sm">
        {factsOf(entry).map(([label, value]) => (
          <div key={label} className="contents">
            <dt className="text-muted">{label}</dt>
            <dd className="min-w-0 break-words tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
