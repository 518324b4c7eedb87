/** An agent of a test: real ptys, a fake session, a folder that is removed with it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningAgent, startAgent } from "../src/agent.ts";
import { createExecutor } from "../src/executors.ts";
import type { AgentLog } from "../src/log.ts";
import type { MachineAgentOptions } from "../src/options.ts";
import { systemClock, systemRandom } from "../src/ports/system.ts";
import { nodePty } from "../src/pty/nodePtyShell.ts";
import { openStateFolder } from "../src/state/folder.ts";
import { FakeServer } from "./fakeSession.ts";

export interface TestAgent {
  readonly server: FakeServer;
  readonly agent: RunningAgent;
  readonly state: string;
  readonly logged: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export const makeFolder = (): string => mkdtempSync(join(tmpdir(), "holdfast-agent-"));

export function makeLog(logged: string[]): AgentLog {
  const write = (event: string): void => void logged.push(event);
  return { debug: write, info: write, warn: write, error: write };
}

/** Started, welcomed and obeying; stopped and removed at the end of the test. */
export async function makeAgent(
  options: Partial<MachineAgentOptions> = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<TestAgent> {
  const state = options.state ?? join(makeFolder(), "state");
  const logged: string[] = [];
  const server = new FakeServer();
  const given = {
    server: "http://127.0.0.1:1",
    name: "test",
    kind: "shell",
    cwd: tmpdir(),
    state,
    keepEnv: false,
    log: makeLog(logged),
    ...options,
  } as const;
  const agent = await startAgent(given, {
    createSession: server.createSession,
    createExecutor: (_, exited) =>
      createExecutor(given, { SHELL: "/bin/sh", ...environment }, nodePty(systemClock), systemClock, exited),
    openState: openStateFolder,
    clock: systemClock,
    random: systemRandom,
  });
  server.welcome();
  await server.obeyed();
  return {
    server,
    agent,
    state,
    logged,
    [Symbol.asyncDispose]: async () => {
      await agent.stop("end of the test");
      rmSync(state, { recursive: true, force: true });
    },
  };
}
