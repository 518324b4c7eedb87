/**
 * A real nginx in front of the product, by the lines that we ship (`deploy/nginx/location.conf`).
 *
 * Life cycle: started → its lines changed (`configure`, as an operator's reload does it) → ended with the test's other
 * processes. Its port is picked before, since the server must be told the name under which people come. What went
 * through stands in its access log, one line a request, written when the request has ended.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, newFolder, root, run } from "./holdfast.ts";
import { waitFor } from "./waiting.ts";

const listensMsMax = 15_000;
const host = "127.0.0.1";

/** The shipped lines: all of what nginx must know of Holdfast. */
export const shippedLines = readFileSync(join(root, "deploy", "nginx", "location.conf"), "utf8");
/** A certificate that nobody has signed, for `localhost`. */
const tls = (name: "cert" | "key"): string =>
  fileURLToPath(new URL(`../../packages/server/test/support/tls/${name}.pem`, import.meta.url));

export interface NginxOptions {
  readonly port: number;
  /** Ports of the servers behind it, on loopback. */
  readonly servers: readonly number[];
  /** Ends TLS; false by default. */
  readonly encrypted?: boolean;
  /** In the place of the shipped lines. */
  readonly lines?: string;
}

export interface Passage {
  /** Seconds since 1970, of the request's begin. */
  readonly begin: number;
  readonly seconds: number;
  readonly status: number;
  readonly path: string;
}

export interface Nginx {
  /** Requests that have ended, in the order of their begin. */
  passed(): readonly Passage[];
  /** Takes these lines from now on; what is open stays. */
  configure(lines: string): Promise<void>;
}

/** The shipped lines with one of them changed; throws where there is no such line. */
export function linesWith(from: RegExp, to: string): string {
  if (!from.test(shippedLines)) throw new Error(`the shipped lines have none like ${from}`);
  return shippedLines.replace(from, to);
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once("error", failed).listen(0, host, done));
  const { port } = server.address() as { port: number };
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const folder = newFolder();
  const file = join(folder, "nginx.conf");
  const log = join(folder, "access.log");
  const write = (lines: string): void => writeFileSync(file, configuration(options, folder, lines));
  write(options.lines ?? shippedLines);
  const program = process.env["E2E_NGINX"] || "/usr/sbin/nginx";
  const command = run(program, ["-p", folder, "-c", file, "-e", join(folder, "error.log"), "-g", "daemon off;"]);
  await waitFor(() => listens(options.port, command), { msMax: listensMsMax, what: `nginx on ${options.port}` });
  return {
    passed: () =>
      textOf(log)
        .split("\n")
        .filter((line) => line !== "")
        .map(passageOf)
        .sort((one, other) => one.begin - other.begin),
    configure: async (lines) => {
      write(lines);
      command.signalGroup("SIGHUP");
      await waitFor(
        () => /reconfiguring[\s\S]*start worker process/.test(textOf(join(folder, "error.log"))) || undefined,
        {
          msMax: listensMsMax,
          what: "nginx with its new lines",
        },
      );
    },
  };
}

function configuration({ port, servers, encrypted = false }: NginxOptions, folder: string, lines: string): string {
  const files = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${join(folder, name)};`,
  );
  // Started by root it would give its workers to a user who cannot write here.
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  return `${user}pid ${join(folder, "nginx.pid")};
error_log ${join(folder, "error.log")} notice;
events {}
http {
${files.join("\n")}
  log_format passage '$msec $request_time $status $uri';
  access_log ${join(folder, "access.log")} passage;
  upstream holdfast {
${servers.map((server) => `    server ${host}:${server};`).join("\n")}
  }
  server {
    listen ${host}:${port}${encrypted ? " ssl" : ""};
${encrypted ? `    ssl_certificate ${tls("cert")};\n    ssl_certificate_key ${tls("key")};\n` : ""}${lines}
  }
}
`;
}

function passageOf(line: string): Passage {
  const [end = 0, seconds = 0, status = 0] = line.split(" ").map(Number);
  return { begin: end - seconds, seconds, status, path: line.split(" ")[3] ?? "" };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return "";
    throw error;
  }
}

async function listens(port: number, command: Command): Promise<true | undefined> {
  if (command.ended !== undefined) throw new Error(`nginx ended: ${command.errors()}`);
  return await new Promise((done) => {
    const socket = connect(port, host);
    socket.once("connect", () => done(true));
    socket.once("error", () => done(undefined));
    socket.once("connect", () => socket.destroy());
  });
}
