/** `holdfast` as a process: exit codes and which stream says what, for all that needs no server. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../src/commandLine/exitCodes.ts";
import { writePrivateFile } from "../../src/files/privateFile.ts";
import { operatorKeyFile, writeServerRecord } from "../../src/files/serverFile.ts";
import { makeFolder } from "../support/folders.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const processMsMax = 20_000;

function run(
  argv: string[],
  { directory = makeFolder(), environment = {} }: { directory?: string; environment?: Record<string, string> } = {},
) {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("HOLDFAST_") && name !== "NODE_ENV"),
  );
  const result = spawnSync(process.execPath, [main, ...argv], {
    cwd: directory,
    env: { ...inherited, ...environment },
    encoding: "utf8",
    timeout: processMsMax,
  });
  return { code: result.status, output: result.stdout, errors: result.stderr };
}

const oneSentence = /^[^\n]*\.\n$/;

describe("holdfast", () => {
  it("--help and --version answer on standard output and exit 0", () => {
    expect(run(["--version"])).toEqual({ code: exitCodes.done, output: "0.1.0\n", errors: "" });
    const help = run(["serve", "--help"]);
    expect(help).toMatchObject({ code: exitCodes.done, errors: "" });
    for (const flag of ["--port", "--host", "--data", "--config", "--mode", "--print-config", "--print-sign-in"])
      expect(help.output).toContain(flag);
  });

  it.each<[string[], string]>([
    [[], "serve, agent, sign-in"],
    [["server"], '"server"'],
    [["serve", "--port", "abc"], '"abc"'],
    [["serve", "--host", "0.0.0.0"], "TLS"],
    [["serve", "--frobnicate"], '"--frobnicate"'],
    [["serve", "--config", "none.json"], '"none.json"'],
    [["serve", "--data", "/dev/null/x"], '"/dev/null/x"'],
    [["agent", "bash"], '"bash"'],
    [["agent", "--state", "/dev/null/x"], '"/dev/null/x"'],
    [["sign-in", "--port", "1"], '"--port"'],
    [["sign-in"], "No server runs"],
    [["doctor"], "An address is missing"],
    [["doctor", "127.0.0.1:4400"], "http://"],
  ])("%j exits 2 with one sentence that names %s", (argv, part) => {
    const result = run(argv);
    expect(result).toMatchObject({ code: exitCodes.wrongUse, output: "" });
    expect(result.errors).toContain(part);
    expect(result.errors).toMatch(oneSentence);
  });

  // Node's own recursive mkdir never comes back from there.
  it.runIf(process.platform === "linux")("refuses a data folder below /proc instead of trying for ever", () => {
    const result = run(["serve", "--data", "/proc/holdfast/data"]);
    expect(result).toMatchObject({ code: exitCodes.wrongUse, output: "" });
    expect(result.errors).toMatch(oneSentence);
  });

  it("[AU-6] refuses development mode in production", () => {
    const result = run(["serve", "--mode", "development"], { environment: { NODE_ENV: "production" } });
    expect(result).toMatchObject({ code: exitCodes.wrongUse, output: "" });
    expect(result.errors).toMatch(oneSentence);
  });

  it("serve --print-config shows the tree of all layers, exits 0 and makes no folder", () => {
    const directory = makeFolder();
    writeFileSync(join(directory, "settings.json"), '{ "agents": { "demo": false } }');
    const argv = ["serve", "--print-config", "--config", "settings.json", "--port", "0", "--data", "new"];
    const result = run(argv, { directory, environment: { HOLDFAST_LOG_LEVEL: "warn" } });
    expect(result).toMatchObject({ code: exitCodes.done, errors: "" });
    expect(JSON.parse(result.output)).toMatchObject({
      port: { value: 0, source: "flag --port" },
      log: { level: { value: "warn", source: "environment HOLDFAST_LOG_LEVEL" } },
      agents: {
        demo: { value: false, source: `file ${join(directory, "settings.json")}` },
        shell: { source: "default" },
      },
    });
    expect(() => mkdirSync(join(directory, "new"))).not.toThrow();
  });

  it("sign-in says so where the server of the folder does not answer any more", () => {
    const directory = makeFolder();
    mkdirSync(join(directory, ".holdfast"));
    writeServerRecord(join(directory, ".holdfast"), {
      url: "http://127.0.0.1:9",
      publicUrl: "http://127.0.0.1:9",
      pid: 1,
      version: "0.1.0",
    });
    writePrivateFile(operatorKeyFile(join(directory, ".holdfast")), "hfk_x\n");
    const result = run(["sign-in"], { directory });
    expect(result).toMatchObject({ code: exitCodes.wrongUse, output: "" });
    expect(result.errors).toMatch(/^The server at http:\/\/127\.0\.0\.1:9 does not answer[^\n]*\.\n$/);
  });
});
