/** `npm run build`: installs what is missing and builds the page, for who starts the server by other means than `npm start`. */
import { runScript } from "./install.mjs";
import { ensurePage } from "./page.mjs";

await runScript(ensurePage);
