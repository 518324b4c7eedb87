/** Who may come in, for admins; and, for everybody, where one is signed in oneself. */
import type { ReactNode } from "react";
import { OwnSessions } from "../features/people/OwnSessions.tsx";
import { PeopleList } from "../features/people/PeopleList.tsx";
import { BackLink } from "./BackLink.tsx";
import { usePage } from "./pageContext.ts";
import { useIsAdmin } from "./roles.ts";

export function PeoplePage(): ReactNode {
  const page = usePage();
  const isAdmin = useIsAdmin();
  const title = isAdmin ? "People" : "Your sessions";
  return (
    <section aria-label={title} className="flex min-w-0 flex-1 flex-col">
      <title>{`${title} – Holdfast`}</title>
      <header className="flex min-h-12 items-center gap-x-3 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/" label="Fleet" />
        <h1 className="truncate text-lg font-semibold">{title}</h1>
      </header>
      <div className="flex min-h-0 flex-1 flex-col gap-6 overflow-y-auto p-4">
        {isAdmin && <PeopleList />}
        <OwnSessions onSignOut={() => page.signOut()} />
      </div>
    </section>
  );
}
