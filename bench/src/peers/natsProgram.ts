/** Where nats-server is, if it is: on the PATH, or where distributions put it. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const usual = ["/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

export function natsProgram(): string | undefined {
  return [...(process.env["PATH"] ?? "").split(delimiter), ...usual]
    .map((folder) => join(folder, "nats-server"))
    .find((file) => existsSync(file));
}
