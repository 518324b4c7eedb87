/**
 * A client as a process (`recorderMain.ts`), behind a bad network. Each kill ends a life; the next goes on from the same
 * folder.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Observation } from "../judge/observation.ts";
import { type Child, end, startNode } from "./child.ts";
import { type FaultyProxy, startFaultyProxy } from "./faultyProxy.ts";
import type { LifeEnd } from "./history.ts";
import { readWholeLines } from "./jsonLines.ts";
import { type Player, pause, strikeLink } from "./player.ts";
import type { RecorderOrder, RecorderSettings, RecorderStatus } from "./recorderSettings.ts";
import { ask } from "./signIn.ts";

const program = fileURLToPath(new URL("recorderMain.ts", import.meta.url));
const endMsMax = 15_000;

export interface RecorderPlayer extends Player {
  /** What it last said; undefined before it said anything in this life. */
  readonly status: RecorderStatus | undefined;
  readonly connections: number;
  /** Credentials that were renewed, over all lives. */
  readonly refreshes: number;
  readonly lifeEnds: readonly LifeEnd[];
  /** What it wrote to standard error: nothing, where all is well. */
  readonly strays: readonly string[];
  tell(order: RecorderOrder): void;
  /** What all its lives wrote down. */
  records(): readonly Observation[];
}

export interface RecorderPlayerOptions {
  readonly settings: Omit<RecorderSettings, "life" | "via">;
  readonly serverPort: number;
  readonly random: () => number;
}

export async function makeRecorderPlayer(options: RecorderPlayerOptions): Promise<RecorderPlayer> {
  const { settings, serverPort, random } = options;
  const { name, folder, url } = settings;
  const proxy: FaultyProxy = await startFaultyProxy({ target: serverPort, random });
  const lifeEnds: LifeEnd[] = [];
  const strays: string[] = [];
  let life = 0;
  let status: RecorderStatus | undefined;
  let refreshesBefore = 0;
  let isQuiet = false;
  let child: Child | undefined;

  function start(): void {
    life += 1;
    refreshesBefore += status?.refreshes ?? 0;
    status = undefined;
    const own: RecorderSettings = { ...settings, life, via: proxy.port };
    child = startNode({
      parameters: [program, JSON.stringify(own)],
      directory: folder,
      onOutput: (line) => {
        status = JSON.parse(line) as RecorderStatus;
      },
      onErrors: (line) => strays.push(line),
    });
    if (isQuiet) child.tell("quiet");
  }

  return {
    name,
    get status() {
      return status;
    },
    get connections() {
      return proxy.connections;
    },
    get refreshes() {
      return refreshesBefore + (status?.refreshes ?? 0);
    },
    lifeEnds,
    strays,
    tell(order) {
      isQuiet ||= order === "quiet";
      child?.tell(order);
    },
    records: () => readWholeLines<Observation>(join(folder, "records.jsonl")),
    start: async () => start(),
    async strike(strike) {
      const isConnected = proxy.connections > 0;
      switch (strike.fault.kind) {
        case "kill":
          child?.signal("SIGKILL");
          await child?.gone;
          lifeEnds.push({ client: `${name}#${life}`, at: Date.now() });
          await pause(strike.ms);
          start();
          return isConnected ? 1 : 0;
        case "stop":
          child?.signal("SIGSTOP");
          await pause(strike.ms);
          child?.signal("SIGCONT");
          return isConnected ? 1 : 0;
        case "signOut": {
          // Past its own proxy: somebody else ends the session.
          const door = { url, via: serverPort, cookieFile: join(folder, "cookie") };
          const { status: answer } = await ask(door, "DELETE", "/api/session").catch(() => ({ status: 0 }));
          return answer === 204 ? 1 : 0;
        }
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
