/**
 * Windows and tabs as a person has them: visible where they are seen, hidden where they are not, and throttled then.
 *
 * Playwright's own pages all count as visible and focused, whatever lies over them, and draw a frame a second unless they
 * are in front. These are opened by the browser itself, in one store of cookies, without any emulation. Life cycle:
 * opened (the probe runs before the page) → asked → closed with the browser. It deliberately clicks nothing.
 */
import type { Browser, CDPSession } from "playwright-core";
import { launchBrowser } from "../browser.ts";
import { waitFor } from "../waiting.ts";

/** What Playwright switches off, for pages of whatever kind. */
const throttlings = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];
const answerMsMax = 30_000;

export interface Tab {
  /** The value of an expression, which may be a promise's. Throws what it throws. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Resolves once the expression is true. */
  until(expression: string, what: string, msMax?: number): Promise<void>;
  /** A command of the browser's protocol for this tab. */
  command(method: string, params?: object): Promise<unknown>;
}

export interface Windows {
  readonly browser: Browser;
  /** A window of its own, or a tab of the newest one, which hides its others. `script` runs before the page's. */
  open(url: string, where: "window" | "tab", script: string): Promise<Tab>;
  close(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export async function openWindows(switches: readonly string[] = []): Promise<Windows> {
  const browser = await launchBrowser(undefined, undefined, switches, throttlings);
  const session = await browser.newBrowserCDPSession();
  const { browserContextId } = await session.send("Target.createBrowserContext");
  return {
    browser,
    async open(url, where, script) {
      const { targetId } = await session.send("Target.createTarget", {
        url: "about:blank",
        browserContextId,
        ...(where === "window" && { newWindow: true, width: 1_280, height: 800 }),
      });
      const tab = await attach(session, targetId);
      await tab.command("Page.enable");
      await tab.command("Page.addScriptToEvaluateOnNewDocument", { source: script });
      await tab.command("Page.navigate", { url });
      return tab;
    },
    close: () => browser.close(),
  };
}

async function attach(session: CDPSession, targetId: string): Promise<Tab> {
  // Its messages go through the browser's session: a flat one would be Playwright's.
  const { sessionId } = await session.send("Target.attachToTarget", { targetId, flatten: false });
  const waiting = new Map<number, (answer: Answer) => void>();
  let commands = 0;
  session.on("Target.receivedMessageFromTarget", ({ sessionId: of, message }) => {
    const answer = JSON.parse(message) as Answer;
    if (of === sessionId) waiting.get(answer.id)?.(answer);
  });
  const command = async (method: string, params: object = {}): Promise<unknown> => {
    commands += 1;
    const id = commands;
    const answered = new Promise<Answer>((done) => waiting.set(id, done));
    await session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params }) });
    const { result, error } = await answered;
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  const evaluate = async <Value>(expression: string): Promise<Value> => {
    const { result, exceptionDetails } = (await command("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })) as { result: { value: Value }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? expression);
    return result.value;
  };
  return {
    evaluate,
    command,
    until: async (expression, what, msMax = answerMsMax) => {
      await waitFor(async () => ((await evaluate<boolean>(`Boolean(${expression})`)) ? true : undefined), {
        msMax,
        what,
      });
    },
  };
}
