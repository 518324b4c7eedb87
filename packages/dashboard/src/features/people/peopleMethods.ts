/** What a server that signs people in itself answers about them. Types only. */
import type { PersonEntry, PersonRole, SessionEntry } from "@holdfast/protocol/schema";

interface Link {
  readonly user: string;
  /** A path of the server. Absent where the request was repeated: it is told once. */
  readonly link?: string;
  readonly expiresAt: number;
}

export type PeopleMethods = {
  "user.list": {
    readonly params: { readonly limit?: number; readonly next?: string };
    readonly result: { readonly items: readonly PersonEntry[]; readonly next?: string };
  };
  "user.invite": { readonly params: { readonly name: string; readonly role: PersonRole }; readonly result: Link };
  "user.link": { readonly params: { readonly user: string }; readonly result: Link };
  "user.setRole": {
    readonly params: { readonly user: string; readonly role: PersonRole };
    readonly result: { readonly user: string };
  };
  "user.remove": { readonly params: { readonly user: string }; readonly result: { readonly user: string } };
  "session.list": {
    readonly params: { readonly user?: string };
    readonly result: { readonly items: readonly SessionEntry[] };
  };
  "session.revoke": { readonly params: { readonly session: string }; readonly result: { readonly session: string } };
};
