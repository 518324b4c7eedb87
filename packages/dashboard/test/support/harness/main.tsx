/**
 * The page on a session without a server, to look at it: real components, sample data.
 *
 * The scene is chosen by the query: `?scene=cut`, `?scene=signedOut`, `?scene=long`, and the state of its session
 * by `?stopped=<reason>` or `?waiting=<reason>`. Test support only: it is no part of the build.
 */
import "../../../src/theme.css";
import { ProtocolError } from "@holdfast/protocol";
import { createRoot } from "react-dom/client";
import { App } from "../../../src/app/App.tsx";
import { PageSession } from "../../../src/app/pageSession.ts";
import { pageClock } from "../../../src/shared/platform/clockShell.ts";
import { wearRememberedTheme } from "../../../src/shared/ui/theme.ts";
import { FakeSession } from "../fakeSession.ts";
import { makeAgent, makeCommand, makeThread, outputEvent, queuedEvent } from "../sampleData.ts";

const scene = new URLSearchParams(window.location.search).get("scene") ?? "usual";
const now = pageClock.now();
const session = new FakeSession();

const agents = [
  makeAgent({
    id: "a1",
    name: "laptop-shell",
    host: "ada-laptop",
    activity: "working",
    command: "c3",
    commandText: "npm run check && npm test",
    queued: 2,
    statusAt: now - 3_600_000,
  }),
  makeAgent({
    id: "a2",
    name: "review-bot",
    kind: "acp",
    host: "build-02",
    activity: "waiting",
    command: "c9",
    commandText: "Review the open pull requests of the week and list what is risky",
    statusAt: now - 540_000,
  }),
  makeAgent({ id: "a3", name: "demo", kind: "custom", host: "ada-laptop", statusAt: now - 8_000 }),
  makeAgent({
    id: "a4",
    name: "build-01",
    host: "build-01.internal.example",
    status: "offline",
    queued: 1,
    statusAt: now - 86_400_000 * 2,
  }),
  makeAgent({
    id: "a5",
    name: "editor",
    kind: "terminal",
    host: "ada-laptop",
    status: "reconnecting",
    statusAt: now - 4_000,
  }),
];
session.stream("fleet").snapshot = { agents };
session.stream("threads").snapshot = {
  threads: [
    makeThread({
      id: "thread-1",
      agent: "a1",
      title: "npm run check && npm test",
      createdAt: now - 60_000,
      activeAt: now - 9_000,
    }),
    makeThread({
      id: "thread-2",
      agent: "a1",
      kind: "terminal",
      title: "Terminal",
      createdAt: now - 400_000,
      activeAt: now - 300_000,
    }),
    makeThread({
      id: "thread-3",
      agent: "a1",
      title: "git log --oneline | head",
      createdAt: now - 8_000_000,
      activeAt: now - 7_000_000,
    }),
  ],
};

const build = makeCommand({ id: "c1", text: "ls --color" });
const hostile = makeCommand({ id: "c2", text: "printf 'a\u001b[31mb'\nexit 3" });
const running = makeCommand({ id: "c3", text: "npm run check && npm test" });
session.append(
  "thread/thread-1",
  [
    queuedEvent(build),
    { event: "command.dispatched", data: { command: "c1" } },
    { event: "command.started", data: { command: "c1" } },
    outputEvent(
      "\u001b[1;34mbin\u001b[0m  \u001b[1;34mdocs\u001b[0m  LICENSE  package.json  \u001b[1;32mrun.sh\u001b[0m  https://example.com/help?x=1.\r\n",
      "c1",
    ),
    { event: "command.finished", data: { command: "c1", outcome: "completed", exitCode: 0, durationMs: 84 } },
    queuedEvent(hostile),
    { event: "command.started", data: { command: "c2" } },
    outputEvent("a\u001b[31mb\u001b[c\u001b[6n\u001b[?1049hALT", "c2"),
    { event: "command.finished", data: { command: "c2", outcome: "failed", exitCode: 3, durationMs: 1_240 } },
    queuedEvent(running),
    { event: "command.dispatched", data: { command: "c3" } },
    { event: "command.started", data: { command: "c3" } },
    ...Array.from({ length: scene === "long" ? 20_000 : 40 }, (_, index) =>
      outputEvent(
        `\u001b[32m✓\u001b[0m packages/protocol/test/case${index + 1}.test.ts \u001b[2m(${(index % 7) + 1} tests)\u001b[0m\r\n`,
        "c3",
      ),
    ),
    queuedEvent(makeCommand({ id: "c4", text: "git status --short" })),
  ],
  now - 9_000,
);

let made = 4;
session.answer = async (method, params: { text?: string; thread?: string }) => {
  if (scene === "cut") return new Promise(() => undefined);
  if (method === "command.send") {
    if (params.text === "refuse") throw new ProtocolError("queue_full", "agent laptop-shell has 1,000 commands queued");
    made += 1;
    const command = makeCommand({ id: `c${made}`, text: params.text ?? "" });
    session.append(`thread/${params.thread ?? "thread-1"}`, [queuedEvent(command)], pageClock.now());
    return { command: command.id, thread: params.thread ?? "thread-1", position: 0 };
  }
  if (method === "thread.create") return { thread: makeThread({ id: "thread-2", agent: "a1", kind: "terminal" }) };
  return {};
};
if (scene === "cut")
  session.become({ kind: "waiting", attempt: 4, retryAt: now + 60_000, reason: "no pong" }, { outbox: 2 });

const stopped = new URLSearchParams(window.location.search).get("stopped");
if (stopped !== null) session.become({ kind: "stopped", reason: stopped });
const waiting = new URLSearchParams(window.location.search).get("waiting");
if (waiting !== null) session.become({ kind: "waiting", attempt: 4, retryAt: now + 60_000, reason: waiting });

Object.assign(window, { fakeSession: session });
wearRememberedTheme();
const about = {
  mode: "local",
  user: scene === "signedOut" ? null : session.user,
  version: "0.1.0",
  store: "sqlite",
  links: true,
} as const;
const page = new PageSession({
  door: {
    about: async () => about,
    redeem: async () => ({
      kind: "refused",
      detail:
        "This sign-in code does not work: it was used before, its time is over, or it never was. Ask who sent it for a new one, or run “npm run sign-in” on the server's machine.",
    }),
    withPassword: async () => ({ kind: "refused", detail: "E-mail address and password do not belong together." }),
    sendLink: async () => ({ kind: "signedIn" }),
    signOut: async () => undefined,
  },
  forget: async () => undefined,
  tabs: { tellSignedOut: () => undefined, onSignedOut: () => undefined },
  open: () => session,
});
void page.start(undefined);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id `root`");
createRoot(root).render(<App page={page} />);
