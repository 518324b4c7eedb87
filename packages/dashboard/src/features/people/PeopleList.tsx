/** Who may come in, for admins: inviting, then everybody with their role. One link is shown at a time, the newest. */
import { type ReactNode, useState } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { InviteForm } from "./InviteForm.tsx";
import { LinkOnce, type ToldLink } from "./LinkOnce.tsx";
import { PersonRow } from "./PersonRow.tsx";
import { usePeople } from "./usePeople.ts";

export function PeopleList(): ReactNode {
  const { about } = useLive();
  const { people, hasMore, error, more, reload } = usePeople();
  const [told, setTold] = useState<ToldLink>();
  // Somebody who is gone has no link any more.
  const shown = people?.some(({ id }) => id === told?.user) === true ? told : undefined;
  return (
    <>
      {about.links === true ? (
        <InviteForm onInvited={reload} onLink={setTold} />
      ) : (
        <p className="text-muted">
          Links sign nobody in at this server: who comes by a provider is listed from then on.
        </p>
      )}
      <section aria-label="Everybody" className="flex flex-col gap-1">
        <h2 className="text-xs font-semibold text-muted">Who may come in</h2>
        {error !== undefined && (
          <p role="alert" className="text-danger">
            {problemText(error)}
          </p>
        )}
        {people === undefined && error === undefined && <p className="text-muted">Loading …</p>}
        {people?.length === 0 && (
          <p className="text-muted">Nobody yet: in development mode whoever reaches this page is an admin.</p>
        )}
        <ul className="flex flex-col" data-testid="people">
          {people?.map((person) => (
            <li key={person.id} className="border-b border-line">
              <PersonRow person={person} onChanged={reload} onLink={setTold}>
                {shown?.user === person.id && (
                  <LinkOnce key={shown.link} {...shown} onClose={() => setTold(undefined)} />
                )}
              </PersonRow>
            </li>
          ))}
        </ul>
        {hasMore && (
          <div>
            <Button onClick={more}>Show more</Button>
          </div>
        )}
      </section>
    </>
  );
}
