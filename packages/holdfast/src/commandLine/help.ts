/** What `holdfast --help` prints; the flags of `serve` come from the configuration's table. */
import { fields } from "../config/fields.ts";

export function helpText(version: string): string {
  return `holdfast ${version}: a control centre for AI agents

holdfast serve        runs the control centre
${serveFlags()}
  --config <file>     Settings from this file instead of <data>/config.json.
  --print-config      Shows every setting with its source, and ends.

holdfast agent [-- <command…>]   makes this machine's shell, or one program, an agent
  --name <name>       Its name in the fleet; the host's by default.
  --server <url>      The server, or the server.json of its data folder; http://127.0.0.1:4400 by default.
  --key <key>         Its API key; else HOLDFAST_KEY, else the one in its state folder.
  --cwd <folder>      Where it works; the current folder by default.
  --keep-env          Passes the whole environment on to what it runs.
  --state <folder>    Its own folder; one below the home folder by default.
  --kind <kind>       shell, terminal or demo; terminal where a command is given, else shell.

holdfast sign-in      prints one more sign-in link of the running server
  --data <folder>     The server's data folder; .holdfast by default.

holdfast backup <file>    copies the store to a new file, while the server runs or not
holdfast restore <file>   puts a backup in its place; the server must be stopped
  --data <folder>     The server's data folder; .holdfast by default.
  --config <file>     Settings from this file instead of <data>/config.json.

holdfast doctor <url>     walks the way of a connection to a server, and says what is wrong
  --key <key>         An API key or token; --key-file <file> reads one; else HOLDFAST_KEY.
  --origin <origin>   As a page of this origin would connect.
  --stream <name>     The stream that is read; fleet by default.

Exit codes: 0 done, 1 a fault of ours (doctor: of what it examined), 2 wrong use, 3 key refused, 4 another process is this agent, 130 second Ctrl-C.
`;
}

function serveFlags(): string {
  return fields
    .flatMap((field) => {
      if (field.flag === undefined) return [];
      const flag = field.flagIsSwitch === true ? `--${field.flag}` : `--${field.flag} <${field.path}>`;
      return [`  ${flag.padEnd(19)} ${field.sentence}`];
    })
    .join("\n");
}
