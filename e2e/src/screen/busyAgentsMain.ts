/**
 * Shell agents of the product, several in one process: `busyAgentsMain.ts <server's URL> <folder> <name> …`.
 *
 * In one process, since on two cores with server and browser ten would be most of the load, and in life they are on other
 * machines. Each has its own session, folder, pty and programs. Ends with SIGTERM, politely.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type AgentLog, runAgent } from "../../../packages/agent/src/index.ts";

const [server = "", folder = "", ...names] = process.argv.slice(2);
const complain = (event: string, fields?: unknown): void =>
  void process.stderr.write(`${event} ${JSON.stringify(fields)}\n`);
const log: AgentLog = { debug: () => {}, info: () => {}, warn: complain, error: complain };

const agents = await Promise.all(
  names.map((name) => {
    const state = join(folder, name);
    mkdirSync(state, { recursive: true });
    return runAgent({ server, name, kind: "shell", cwd: folder, state: join(state, "state"), keepEnv: false, log });
  }),
);
const end = (): void => void Promise.all(agents.map((agent) => agent.stop("shutdown"))).then(() => process.exit(0));
process.on("SIGTERM", end);
process.on("SIGINT", end);
