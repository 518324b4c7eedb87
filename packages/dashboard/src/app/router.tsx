/**
 * The page's addresses: `/` the fleet, `/agents/<id>` one agent, `/threads/<id>` one thread, `/threads` all, `/people` who may
 * come in and where one is signed in, `/weather` to try to break it, `/assistants`, `/audit` and `/connections` for admins.
 *
 * Every view has one; back, forward and reload show the same. Nothing else is in the address: a one-time
 * code in its fragment is taken out before the router reads it.
 */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { AgentPage } from "./AgentPage.tsx";
import { FleetPage, NotFound } from "./FleetPage.tsx";
import { Shell } from "./Shell.tsx";
import { ThreadPage } from "./ThreadPage.tsx";
import { ThreadsPage } from "./ThreadsPage.tsx";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
/** Loaded when somebody looks: most people never do. */
const connectionsPage = lazyRouteComponent(() => import("./ConnectionsPage.tsx"), "ConnectionsPage");
const peoplePage = lazyRouteComponent(() => import("./PeoplePage.tsx"), "PeoplePage");
const assistantsPage = lazyRouteComponent(() => import("./AssistantsPage.tsx"), "AssistantsPage");
const auditPage = lazyRouteComponent(() => import("./AuditPage.tsx"), "AuditPage");
const weatherPage = lazyRouteComponent(() => import("./WeatherPage.tsx"), "WeatherPage");
const routes = [
  createRoute({ getParentRoute: () => root, path: "/", component: FleetPage }),
  createRoute({ getParentRoute: () => root, path: "/agents/$agent", component: AgentPage }),
  createRoute({ getParentRoute: () => root, path: "/threads/$thread", component: ThreadPage }),
  createRoute({ getParentRoute: () => root, path: "/threads", component: ThreadsPage }),
  createRoute({ getParentRoute: () => root, path: "/connections", component: connectionsPage }),
  createRoute({ getParentRoute: () => root, path: "/people", component: peoplePage }),
  createRoute({ getParentRoute: () => root, path: "/assistants", component: assistantsPage }),
  createRoute({ getParentRoute: () => root, path: "/audit", component: auditPage }),
  createRoute({ getParentRoute: () => root, path: "/weather", component: weatherPage }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: false,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
