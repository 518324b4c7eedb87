/**
 * nats-server over WebSocket, where it is installed: started here, measured from outside.
 *
 * It picks free ports and writes them to a file, which is how they are learned.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wait } from "../ports/monotonic.ts";
import { processUsage } from "../ports/processUsage.ts";
import { serveCalls } from "../processes/calls.ts";
import { natsProgram } from "./natsProgram.ts";
import type { ServerFace } from "./serverFace.ts";

const startMsMax = 10_000;
const lookEveryMs = 20;

let server: ChildProcess | undefined;

const face: ServerFace = {
  async start({ folder }) {
    const program = natsProgram();
    if (program === undefined) throw new Error("nats-server is not installed");
    const config = join(folder, "nats.conf");
    writeFileSync(
      config,
      [
        'listen: "127.0.0.1:-1"',
        `ports_file_dir: ${JSON.stringify(folder)}`,
        'websocket { listen: "127.0.0.1:-1", no_tls: true, compression: false }',
      ].join("\n"),
    );
    server = spawn(program, ["-c", config], { stdio: ["ignore", "ignore", "ignore"] });
    const version = execFileSync(program, ["--version"], { encoding: "utf8" }).trim().split("v").at(-1) ?? "";
    return { url: await findUrl(folder), version, pid: pidOf(server) };
  },
  usage() {
    return { ...processUsage(pidOf(server)), usedBytes: 0 };
  },
  stalledSockets: () => -1,
};

function pidOf(child: ChildProcess | undefined): number {
  if (child?.pid === undefined) throw new Error("nats-server was not started");
  return child.pid;
}

async function findUrl(folder: string): Promise<string> {
  for (let waited = 0; waited < startMsMax; waited += lookEveryMs) {
    const file = readdirSync(folder).find((name) => name.endsWith(".ports"));
    const [url] = file === undefined ? [] : portsOf(join(folder, file));
    if (url !== undefined) return url;
    await wait(lookEveryMs);
  }
  throw new Error(`nats-server wrote no ports file in ${folder} within ${startMsMax} ms`);
}

/** Empty while the file is being written. */
function portsOf(file: string): readonly string[] {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { websocket?: string[] }).websocket ?? [];
  } catch {
    return [];
  }
}

serveCalls(face, () => void server?.kill("SIGKILL"));
