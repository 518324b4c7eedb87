/** Inviting somebody: a name, a role; a link comes back. */
import type { PersonRole } from "@holdfast/protocol/schema";
import { useRequest } from "@holdfast/react";
import { type FormEvent, type ReactNode, useState } from "react";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";
import type { ToldLink } from "./LinkOnce.tsx";
import type { PeopleMethods } from "./peopleMethods.ts";
import { RoleSelect } from "./RoleSelect.tsx";

const nameCharsMax = 200;

export function InviteForm(props: {
  readonly onInvited: () => void;
  readonly onLink: (link: ToldLink) => void;
}): ReactNode {
  const { send, pending, error } = useRequest<PeopleMethods, "user.invite">("user.invite");
  const [name, setName] = useState("");
  const [role, setRole] = useState<PersonRole>("viewer");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const answer = await send({ name, role }).catch(() => undefined);
    if (answer === undefined) return;
    props.onInvited();
    setName("");
    const { user, link, expiresAt } = answer;
    if (link !== undefined) props.onLink({ user, name, link, expiresAt });
  };
  return (
    <section aria-label="Invite" className="flex flex-col gap-2">
      <form onSubmit={(event) => void submit(event)} className="flex flex-wrap items-center gap-2">
        <input
          required
          aria-label="Name of whom to invite"
          placeholder="Name"
          data-testid="invite-name"
          value={name}
          maxLength={nameCharsMax}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
          className="h-7 w-full max-w-72 rounded-md border border-line-strong bg-raised px-2 text-text"
        />
        <RoleSelect label="Role of whom to invite" role={role} onRole={setRole} />
        <Button type="submit" tone="accent" data-testid="invite" disabled={pending}>
          Invite by a link
        </Button>
      </form>
      {error !== undefined && (
        <p role="alert" className="text-danger">
          {problemText(error)}
        </p>
      )}
    </section>
  );
}
