/**
 * The packages as they are published: unpacked from their tarballs, they are the program that all other tests prove.
 *
 * Somebody else's app is compiled against their declarations and run by a Node that reads no TypeScript: server,
 * plain, durable and publishing session, across a cut of the link.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { link, packedMsMax, root, type Unpacked, unpackPackages } from "../../packages/client/test/support/packed.ts";
import { expectNothingLeft, markedEnvironment } from "../src/processes.ts";
import { startProxy } from "../src/proxy.ts";
import { waitFor } from "../src/waiting.ts";

const compileMsMax = 60_000;
const sayMsMax = 60_000;

const files = {
  "app.ts": new URL("../src/packed/app.ts", import.meta.url),
  "serverMain.ts": new URL("../src/packed/serverMain.ts", import.meta.url),
  "programMain.ts": new URL("../src/packed/programMain.ts", import.meta.url),
};

const settings = {
  target: "es2024",
  module: "nodenext",
  lib: ["es2024", "dom", "dom.iterable"],
  types: ["node"],
  jsx: "react-jsx",
  strict: true,
  exactOptionalPropertyTypes: true,
  rewriteRelativeImportExtensions: true,
  outDir: "built",
  rootDir: ".",
};

let unpacked: Unpacked;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(() => {
  unpacked = unpackPackages();
  link(unpacked.folder, "@types");
  writeFileSync(join(unpacked.folder, "package.json"), JSON.stringify({ type: "module", private: true }));
}, packedMsMax);
afterAll(() => unpacked?.[Symbol.dispose]());
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await expectNothingLeft();
});

/** What the compiler says of these files of the app: nothing, where they are right. */
function compile(...names: readonly string[]): string {
  const project = join(unpacked.folder, "tsconfig.json");
  writeFileSync(project, JSON.stringify({ compilerOptions: settings, files: names }));
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const { stdout, error } = spawnSync(process.execPath, [compiler, "--project", project], {
    cwd: unpacked.folder,
    encoding: "utf8",
    timeout: compileMsMax,
  });
  return stdout + (error?.message ?? "");
}

/** A Node that reads no TypeScript. `said`: its lines. */
function start(program: string, ...parameters: readonly string[]) {
  const child = spawn(
    process.execPath,
    ["--no-experimental-strip-types", join(unpacked.folder, "built", program), ...parameters],
    { cwd: unpacked.folder, env: markedEnvironment(), stdio: ["ignore", "pipe", "pipe"] },
  );
  let text = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    text += more;
  });
  child.stderr.setEncoding("utf8").on("data", (more: string) => {
    errors += more;
  });
  cleanUps.push(() => end(child));
  const line = (begins: string): Promise<string> =>
    waitFor(
      () => {
        const found = text
          .split("\n")
          .slice(0, -1)
          .find((one) => one.startsWith(begins));
        if (found === undefined && child.exitCode !== null)
          throw new Error(`${program} ended with ${child.exitCode} before "${begins}": ${errors}`);
        return found;
      },
      { msMax: sayMsMax, what: `${program} says "${begins}"` },
    );
  return { child, line, errors: () => errors };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGTERM");
  await exited;
}

test("[CL-8] [ST-1] [PB-1] [RQ-3] an app of the unpacked packages reads, asks and publishes across a cut, once each", async () => {
  for (const [name, source] of Object.entries(files)) copyFileSync(fileURLToPath(source), join(unpacked.folder, name));
  expect(compile(...Object.keys(files))).toBe("");

  const app = pathToFileURL(join(unpacked.folder, "built", "app.js")).href;
  const data = join(unpacked.folder, "data");
  mkdirSync(data);
  const server = start("serverMain.js", app, data);
  const port = Number(new URL((await server.line("ready ")).slice("ready ".length)).port);
  const proxy = await startProxy(port);
  cleanUps.push(() => proxy.close());

  const program = start("programMain.js", `ws://127.0.0.1:${proxy.port}/ws`, join(unpacked.folder, "kept.json"));
  await program.line("connected");
  proxy.cut();
  await program.line("lost");
  proxy.heal();
  expect(JSON.parse(await program.line("{"))).toEqual({
    notes: ["one", expect.stringMatching(/^t/), expect.stringMatching(/^t/)],
    log: ["first", "second"],
    answers: ["one", "two", "three"],
    rejected: 0,
    reconnects: 1,
  });
  expect(proxy.counters.connectionsCut).toBe(3);
  // Nothing of a closed session keeps a program alive.
  await waitFor(() => (program.child.exitCode === 0 ? true : undefined), { msMax: sayMsMax, what: "its end" });
  expect(program.errors()).toBe("");
});

const page = `
import { createSharedSession } from "@holdfast/client/tabs";
import { HoldfastProvider, hooksFor, useStream } from "@holdfast/react";
import type { Methods } from "./app.ts";

const { useRequest } = hooksFor<Methods>();
function Notes() {
  const { state } = useStream("notes", (count: number) => count + 1, { from: "start", initial: 0 });
  const { send } = useRequest("note.add");
  return <button type="button" onClick={() => void send({ text: "a note" })}>{state}</button>;
}
export const all = <HoldfastProvider session={createSharedSession({ clientName: "page" })}><Notes /></HoldfastProvider>;
`;

test("their declarations check an app: a page that is right compiles, and each mistake is named", () => {
  copyFileSync(fileURLToPath(files["app.ts"]), join(unpacked.folder, "app.ts"));
  writeFileSync(join(unpacked.folder, "page.tsx"), page);
  expect(compile("page.tsx")).toBe("");

  writeFileSync(join(unpacked.folder, "page.tsx"), page.replace('"a note"', "5").replace('"page"', "6"));
  const told = compile("page.tsx");
  expect(told.match(/error TS2322: Type 'number' is not assignable to type 'string'/g)).toHaveLength(2);
});
