/** One person: how they come in, their role, another link, and removal, which is asked for twice. */
import type { PersonEntry } from "@holdfast/protocol/schema";
import { useRequest } from "@holdfast/react";
import { type ReactNode, useState } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { count } from "../../shared/format/count.ts";
import { problemText } from "../../shared/format/problem.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Button } from "../../shared/ui/Button.tsx";
import type { ToldLink } from "./LinkOnce.tsx";
import type { PeopleMethods } from "./peopleMethods.ts";
import { RoleSelect } from "./RoleSelect.tsx";

export function PersonRow(props: {
  readonly person: PersonEntry;
  readonly onChanged: () => void;
  readonly onLink: (link: ToldLink) => void;
  /** Below the row: a link that was just made. */
  readonly children: ReactNode;
}): ReactNode {
  const { person, onChanged } = props;
  const { about } = useLive();
  const setRole = useRequest<PeopleMethods, "user.setRole">("user.setRole");
  const remove = useRequest<PeopleMethods, "user.remove">("user.remove");
  const link = useRequest<PeopleMethods, "user.link">("user.link");
  const [isSure, setSure] = useState(false);
  const name = visibleText(person.name);
  const isOwner = person.signsInBy === "commandLine";
  const error = remove.error ?? setRole.error ?? link.error;
  const after = (answer: Promise<unknown>): void => void answer.then(onChanged, () => {});
  const makeLink = async (): Promise<void> => {
    const answer = await link.send({ user: person.id }).catch(() => undefined);
    if (answer?.link !== undefined)
      props.onLink({ user: person.id, name: person.name, link: answer.link, expiresAt: answer.expiresAt });
  };
  return (
    <div data-testid="person" data-user={person.id} className="flex flex-col gap-2 px-2 py-1.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <span className="min-w-0 flex-1 basis-48">
          <span className="block truncate font-medium">{name}</span>
          <span className="block truncate text-sm text-muted">
            {waysIn(person)} · {count(person.sessions, "session")}
          </span>
        </span>
        <RoleSelect
          label={`Role of ${name}`}
          role={person.role}
          disabled={isOwner || setRole.pending}
          onRole={(role) => after(setRole.send({ user: person.id, role }))}
        />
        {about.links === true && person.signsInBy === "link" && (
          <Button
            aria-label={`New link for ${name}`}
            data-testid="person-new-link"
            disabled={link.pending}
            onClick={() => void makeLink()}
          >
            New link
          </Button>
        )}
        {!isOwner && !isSure && (
          <Button aria-label={`Remove ${name}`} data-testid="person-remove" onClick={() => setSure(true)}>
            Remove
          </Button>
        )}
      </div>
      {isSure && (
        <section aria-label={`Remove ${name}`} className="flex flex-wrap items-center gap-2">
          <p>Remove {name} for good? They are signed out everywhere at once.</p>
          <Button
            tone="accent"
            data-testid="person-remove-sure"
            disabled={remove.pending}
            onClick={() => after(remove.send({ user: person.id }))}
          >
            Remove
          </Button>
          <Button onClick={() => setSure(false)}>Keep</Button>
        </section>
      )}
      {error !== undefined && (
        <p role="alert" className="text-danger">
          {problemText(error)}
        </p>
      )}
      {props.children}
    </div>
  );
}

function waysIn({ signsInBy, provider, linkExpiresAt }: PersonEntry): string {
  switch (signsInBy) {
    case "commandLine":
      return "owner of the server’s machine";
    case "provider":
      return visibleText(provider ?? "a provider");
    case "link":
      return linkExpiresAt === undefined
        ? "by link"
        : `link not opened yet, works until ${new Date(linkExpiresAt).toLocaleString()}`;
  }
}
