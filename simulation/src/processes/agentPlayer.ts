/** A shell agent as a process of the product's own command line, behind a bad network, with a folder that survives it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Child, end, startNode } from "./child.ts";
import { type FaultyProxy, startFaultyProxy } from "./faultyProxy.ts";
import { type Player, pause, strikeLink } from "./player.ts";
import { commandLine } from "./serverProcess.ts";

const endMsMax = 15_000;

export interface AgentPlayerOptions {
  readonly name: string;
  readonly serverPort: number;
  /** Absent where nobody needs one (development mode). */
  readonly key?: string;
  readonly folder: string;
  readonly random: () => number;
}

export interface AgentPlayer extends Player {
  readonly isUp: boolean;
  /** Connections that it ever made. */
  readonly connectionsMade: number;
}

export async function makeAgentPlayer(options: AgentPlayerOptions): Promise<AgentPlayer> {
  const { name, serverPort, key, folder, random } = options;
  mkdirSync(folder, { recursive: true });
  const proxy: FaultyProxy = await startFaultyProxy({ target: serverPort, random, rewritesHost: true });
  let child: Child | undefined;
  const start = (): void => {
    child = startNode({
      parameters: [
        commandLine,
        ...["agent", "--kind", "shell", "--name", name],
        ...["--server", `http://127.0.0.1:${proxy.port}`, "--state", join(folder, "state"), "--cwd", folder],
      ],
      directory: folder,
      environment: {
        ...(key === undefined ? {} : { HOLDFAST_KEY: key }),
        SHELL: "/bin/sh",
        HOLDFAST_LOG_LEVEL: "warn",
      },
    });
  };
  return {
    name,
    get isUp() {
      return child !== undefined && child.ended === undefined;
    },
    get connectionsMade() {
      return proxy.made;
    },
    start: async () => start(),
    async strike(strike) {
      const wasUp = child !== undefined && child.ended === undefined;
      switch (strike.fault.kind) {
        case "kill":
          child?.signal("SIGKILL");
          await child?.gone;
          await pause(strike.ms);
          start();
          return wasUp ? 1 : 0;
        case "stop":
          child?.signal("SIGSTOP");
          await pause(strike.ms);
          child?.signal("SIGCONT");
          return wasUp ? 1 : 0;
        default:
          return await strikeLink(proxy, strike);
      }
    },
    async end() {
      if (child !== undefined) await end(child, endMsMax);
      await proxy.close();
    },
  };
}
