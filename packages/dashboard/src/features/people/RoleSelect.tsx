/** The choice of a person's role, with what each may do. */
import type { PersonRole } from "@holdfast/protocol/schema";
import type { ReactNode } from "react";

const roles: readonly (readonly [PersonRole, string])[] = [
  ["viewer", "viewer: looks on"],
  ["operator", "operator: commands agents"],
  ["admin", "admin: all of it"],
];

export function RoleSelect(props: {
  readonly label: string;
  readonly role: PersonRole;
  readonly disabled?: boolean;
  readonly onRole: (role: PersonRole) => void;
}): ReactNode {
  return (
    <select
      aria-label={props.label}
      data-testid="person-role"
      value={props.role}
      disabled={props.disabled}
      onChange={(event) => {
        const chosen = roles.find(([role]) => role === event.target.value);
        if (chosen !== undefined) props.onRole(chosen[0]);
      }}
      className="h-7 rounded-md border border-line-strong bg-raised px-1 text-sm text-text disabled:opacity-60"
    >
      {roles.map(([role, words]) => (
        <option key={role} value={role}>
          {words}
        </option>
      ))}
    </select>
  );
}
