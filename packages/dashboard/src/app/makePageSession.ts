/** The page's session as it is in a browser: the real door, the real socket, the cookie as credential. */
import { createSession } from "@holdfast/client";
import type { ControlMethods } from "@holdfast/control/contract";
import { signInDoor } from "../shared/http/signIn.ts";
import { PageSession } from "./pageSession.ts";

export function makePageSession(): PageSession {
  return new PageSession({
    door: signInDoor,
    open: (about, onIdentityChanged) =>
      createSession<ControlMethods>({
        url: socketUrl,
        clientName: "holdfast-page",
        clientVersion: about.version,
        onIdentityChanged,
      }),
  });
}

function socketUrl(): string {
  const { protocol, host } = window.location;
  return `${protocol === "https:" ? "wss:" : "ws:"}//${host}/ws`;
}
