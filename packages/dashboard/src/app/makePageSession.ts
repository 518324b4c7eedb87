/**
 * The page's session as it is in a browser: the real door, one socket for all tabs, the cookie as credential.
 *
 * Tabs share by person: another one who signs in never meets the socket, nor the storage, of the former (I7).
 */
import { indexedDbStorage } from "@holdfast/client/storage";
import { createSharedSession } from "@holdfast/client/tabs";
import type { ControlMethods } from "@holdfast/control/contract";
import { type About, signInDoor } from "../shared/http/signIn.ts";
import { otherTabs } from "../shared/platform/otherTabs.ts";
import { PageSession } from "./pageSession.ts";

export function makePageSession(): PageSession {
  return new PageSession({
    door: signInDoor,
    open: (about, onIdentityChanged) =>
      createSharedSession<ControlMethods>({
        clientName: "holdfast-page",
        clientVersion: about.version,
        onIdentityChanged,
        storage: indexedDbStorage(personOf(about)),
        name: personOf(about),
        alone: about.features?.tabSharing === false,
        worker: (name) => new SharedWorker(new URL("./tabsWorker.ts", import.meta.url), { type: "module", name }),
      }),
    forget: async (about) => {
      const storage = indexedDbStorage(personOf(about));
      await storage.drop();
      storage.close();
      await forgetDatabase(storageName(personOf(about)));
    },
    tabs: otherTabs(),
  });
}

/** It was emptied before; its name, too, says who was here. Whoever has it open still lets it go, or opens it anew, empty. */
function forgetDatabase(name: string): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => resolve();
    request.onblocked = () => resolve();
  });
}

/** As `indexedDbStorage` calls it. */
const storageName = (person: string): string => `holdfast ${person}`;

function personOf({ user }: About): string {
  return user === null ? "page" : `page ${user.workspace} ${user.id}`;
}
