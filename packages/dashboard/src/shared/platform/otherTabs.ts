/**
 * The one word that tabs of this origin say to each other outside the session: somebody signed out here.
 *
 * The cookie is the browser's, so whoever signs out in one tab is out in all; none may go on showing what was read
 * (O8). Where a browser has no channels, the other tabs hear of it from the server, and stop there.
 */

export interface OtherTabs {
  tellSignedOut(): void;
  /** For this page's whole life. */
  onSignedOut(run: () => void): void;
}

const channelName = "holdfast signed out";

export function otherTabs(): OtherTabs {
  if (typeof BroadcastChannel === "undefined") return { tellSignedOut: () => {}, onSignedOut: () => {} };
  const channel = new BroadcastChannel(channelName);
  return {
    tellSignedOut: () => channel.postMessage("signed out"),
    onSignedOut: (run) => {
      channel.onmessage = run;
    },
  };
}
