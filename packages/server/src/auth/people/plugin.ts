/**
 * People, their sessions, and API keys as a plugin of its own: on every server that signs people in itself, beside the app.
 *
 * It has methods only; the tables are sign-in's. Where the app signs people in there is nobody here to manage, so it
 * is not loaded.
 */
import type { Method, Plugin } from "../../plugin.ts";
import { userInvite, userLink } from "./invitation.ts";
import { keyCreate, keyList, keyRevoke } from "./keyMethods.ts";
import { sessionList, sessionRevoke } from "./sessionMethods.ts";
import { userRemove, userSetRole } from "./userChanges.ts";
import { userList } from "./userList.ts";

const withoutLinks = {
  "user.list": userList,
  "user.setRole": userSetRole,
  "user.remove": userRemove,
  "session.list": sessionList,
  "session.revoke": sessionRevoke,
  "key.create": keyCreate,
  "key.list": keyList,
  "key.revoke": keyRevoke,
};
const withLinks = { ...withoutLinks, "user.invite": userInvite, "user.link": userLink };

export const plugin: Plugin = { name: "people", migrations: {}, methods: withLinks, streams: [], tasks: {} };

/** What a server answers. Where links sign nobody in it makes none. */
export function peopleMethods({ signInLinks }: { readonly signInLinks: boolean }): Readonly<Record<string, Method>> {
  return signInLinks ? withLinks : withoutLinks;
}
