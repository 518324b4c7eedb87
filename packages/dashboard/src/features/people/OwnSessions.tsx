/**
 * Where this person is signed in, and ending it elsewhere; here the bar at the top signs out.
 *
 * Life cycle: asked at once, after each ending, and whenever the page is looked at again. Invariant: what was
 * answered stays until there is something newer. What a session was begun with (a browser, an address) nobody keeps.
 */
import type { SessionEntry } from "@holdfast/protocol/schema";
import { useRequest } from "@holdfast/react";
import { type ReactNode, useCallback, useState } from "react";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";
import type { PeopleMethods } from "./peopleMethods.ts";
import { useWhenLookedAt } from "./useWhenLookedAt.ts";

export function OwnSessions({ onSignOut }: { readonly onSignOut: () => Promise<void> }): ReactNode {
  const list = useRequest<PeopleMethods, "session.list">("session.list");
  const end = useRequest<PeopleMethods, "session.revoke">("session.revoke");
  const [sessions, setSessions] = useState<readonly SessionEntry[]>();
  const [problem, setProblem] = useState<string>();
  const { send } = list;
  const read = useCallback((): void => {
    send({}).then(
      ({ items }) => setSessions(items),
      () => {},
    );
  }, [send]);
  useWhenLookedAt(read);
  const endOne = (session: string): void => void end.send({ session }).then(read, () => {});
  const others = sessions?.filter(({ current }) => !current) ?? [];
  const everywhere = async (): Promise<void> => {
    for (const { id } of others) await end.send({ session: id });
    await onSignOut();
  };
  const error = end.error ?? list.error;
  return (
    <section aria-label="Your sessions" className="flex flex-col gap-1">
      <h2 className="text-xs font-semibold text-muted">Where you are signed in</h2>
      {(problem ?? error) !== undefined && (
        <p role="alert" className="text-danger">
          {problem ?? problemText(error)}
        </p>
      )}
      {sessions === undefined && error === undefined && <p className="text-muted">Loading …</p>}
      {sessions?.length === 0 && <p className="text-muted">You came without a session, so there is none to end.</p>}
      <ul className="flex flex-col">
        {sessions?.map(({ id, created, expiresAt, current }) => (
          <li
            key={id}
            data-testid="own-session"
            data-current={current}
            className="flex flex-wrap items-center gap-x-3 border-b border-line px-2 py-1.5"
          >
            <span className="flex-1">
              {current ? "This browser" : "Another browser"}, since {new Date(created).toLocaleString()}
              <span className="block text-sm text-muted">
                ends on {new Date(expiresAt).toLocaleDateString()} unless it is used
              </span>
            </span>
            {!current && (
              <Button
                aria-label={`Sign out the browser that signed in on ${new Date(created).toLocaleString()}`}
                data-testid="own-session-end"
                disabled={end.pending}
                onClick={() => endOne(id)}
              >
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <div className="mt-2">
          <Button
            data-testid="sign-out-everywhere"
            disabled={end.pending}
            onClick={() => void everywhere().catch((failed: unknown) => setProblem(problemText(failed)))}
          >
            Sign out everywhere, here too
          </Button>
        </div>
      )}
    </section>
  );
}
