/** Where the page begins: the sign-in code leaves the address, the theme is worn, the page is drawn. */
import "./theme.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { takeCodeFromAddress } from "./app/addressCode.ts";
import { takeProblemFromAddress } from "./app/addressProblem.ts";
import { makePageSession } from "./app/makePageSession.ts";
import { wearRememberedTheme } from "./shared/ui/theme.ts";

const code = takeCodeFromAddress(window.location, window.history);
wearRememberedTheme();

const page = makePageSession();
void page.start(code, takeProblemFromAddress(window.location, window.history));
// A link pasted over the address of this very page changes its fragment only: nothing is loaded anew.
window.addEventListener("hashchange", () => {
  const later = takeCodeFromAddress(window.location, window.history);
  if (later !== undefined) void page.arrive(later);
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id `root`");
createRoot(root).render(
  <StrictMode>
    <App page={page} />
  </StrictMode>,
);
