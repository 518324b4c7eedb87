/** The frame: the top bar, the fleet at the left, the view that the address names, the footer. */
import { Link, Outlet, useLocation, useParams } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { ConnectionBar } from "../features/connection/ConnectionBar.tsx";
import { ConnectionPill } from "../features/connection/ConnectionPill.tsx";
import { FleetList } from "../features/fleet/FleetList.tsx";
import { SignInDialog } from "../features/sign-in/SignInDialog.tsx";
import { preloadTerminal } from "../features/thread/terminalChunk.ts";
import { useLive } from "../shared/data/LiveData.tsx";
import { recall, remember } from "../shared/platform/remembered.ts";
import { Button } from "../shared/ui/Button.tsx";
import { SidebarIcon } from "../shared/ui/icons.tsx";
import { usePage } from "./pageContext.ts";
import { useIsAdmin } from "./roles.ts";
import { SignOutButton } from "./SignOutButton.tsx";
import { ThemeToggle } from "./ThemeToggle.tsx";

const footerLink = "rounded-sm hover:underline max-md:py-2 max-md:text-sm";

export function Shell(): ReactNode {
  const { about } = useLive();
  const page = usePage();
  const place = usePlace();
  const isAdmin = useIsAdmin();
  const [hasFleet, setFleet] = useState(() => recall("device", "panel.fleet") !== "closed");
  const [isSigningIn, setSigningIn] = useState(false);
  useEffect(preloadTerminal, []);
  const toggleFleet = (): void => {
    remember("device", "panel.fleet", hasFleet ? "closed" : "");
    setFleet(!hasFleet);
  };
  return (
    <div className="flex h-dvh flex-col">
      <a href="#view" className="sr-only z-50 bg-raised p-2 focus:not-sr-only focus:absolute">
        Skip to the view
      </a>
      <header className="flex h-11 shrink-0 items-center gap-2 border-b border-line bg-raised px-3">
        <Button
          tone="quiet"
          aria-label="Fleet panel"
          aria-pressed={hasFleet}
          onClick={toggleFleet}
          className="max-md:hidden"
        >
          <SidebarIcon />
        </Button>
        <Link to="/" className="rounded-sm font-semibold">
          Holdfast
        </Link>
        <span className="flex-1" />
        <ConnectionPill onSignIn={() => setSigningIn(true)} />
        <ThemeToggle />
        {about.mode !== "development" && <SignOutButton />}
      </header>
      <ConnectionBar onSignIn={() => setSigningIn(true)} />
      <main className="flex min-h-0 flex-1">
        <nav
          aria-label="Fleet"
          className={`w-72 shrink-0 overflow-y-auto border-r border-line bg-surface max-md:w-full max-md:border-r-0 ${hasFleet ? "" : "md:hidden"} ${place.isFleet ? "" : "max-md:hidden"}`}
        >
          {place.isFleet && <h1 className="sr-only">Fleet</h1>}
          <FleetList chosen={place.agent} />
        </nav>
        {/* The target of "skip" takes focus, but is no stop for Tab. */}
        <div
          id="view"
          tabIndex={-1}
          className={`flex min-w-0 flex-1 outline-none ${place.isFleet ? "max-md:hidden" : ""}`}
        >
          <Outlet />
        </div>
      </main>
      <footer
        data-testid="page-footer"
        className={`flex min-h-6 shrink-0 flex-wrap items-center gap-x-3 border-t border-line bg-raised px-3 text-xs text-muted ${place.isFleet ? "" : "max-md:hidden"}`}
      >
        <span>mode {about.mode}</span>
        <span>store {about.store}</span>
        <span>version {about.version}</span>
        {/* On a phone the links have a line of their own. */}
        <span className="flex-1 max-md:basis-full" />
        <Link to="/threads" data-testid="to-threads" className={footerLink}>
          Threads
        </Link>
        <Link to="/weather" data-testid="to-weather" className={footerLink}>
          Weather
        </Link>
        <Link to="/people" data-testid="to-people" className={footerLink}>
          {isAdmin ? "People" : "Your sessions"}
        </Link>
        {isAdmin && (
          <Link to="/assistants" data-testid="to-assistants" className={footerLink}>
            Assistants
          </Link>
        )}
        {isAdmin && (
          <Link to="/audit" data-testid="to-audit" className={footerLink}>
            Audit
          </Link>
        )}
        {isAdmin && (
          <Link to="/connections" data-testid="to-connections" className={footerLink}>
            Connections
          </Link>
        )}
      </footer>
      <SignInDialog open={isSigningIn} onOpenChange={setSigningIn} ways={about} doors={page} />
    </div>
  );
}

/** What the address names. */
function usePlace(): { readonly isFleet: boolean; readonly agent: string | undefined } {
  const { threads } = useLive();
  const { agent, thread } = useParams({ strict: false });
  const isFleet = useLocation({ select: ({ pathname }) => pathname === "/" });
  const ofThread = thread === undefined ? undefined : threads.state.threads.get(thread)?.agent;
  return { isFleet, agent: agent ?? ofThread };
}
