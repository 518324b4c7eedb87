/** The files of `deploy/`: what they name is there, and the health check says what the server says. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { environmentName, fields } from "../src/config/fields.ts";
import { resolveConfig } from "../src/config/resolve.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const deploy = join(root, "deploy");
const textOf = (path: string): string => readFileSync(join(deploy, path), "utf8");
const files = readdirSync(deploy, { recursive: true, encoding: "utf8" }).filter((path) => /\.\w+$|file$/.test(path));

describe("what they name", () => {
  it("every HOLDFAST_ variable is a setting's", () => {
    const known = new Set(fields.map(({ path }) => environmentName(path)));
    const named = files.flatMap((path) => [...textOf(path).matchAll(/HOLDFAST_[A-Z_]*[A-Z]/g)].map(([name]) => name));
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it("every path of the repository is there, and every npm script", () => {
    const text = files.map(textOf).join("\n");
    const paths = [...text.matchAll(/(?:packages|deploy|scripts)\/[\w./-]+\w/g)].map(([path]) => path);
    expect(paths).toContain("packages/holdfast/src/main.ts");
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
    for (const [, script] of text.matchAll(/npm run (\w+)/g)) expect(scripts).toHaveProperty(script ?? "");
    for (const [, path] of textOf("compose.yaml").matchAll(/- \.\/(nginx\/[\w.]+):/g))
      expect(existsSync(join(deploy, path ?? ""))).toBe(true);
  });

  it("compose's settings, on top of the image's, are ones that production starts with", () => {
    const imageLine = /^ENV (HOLDFAST_MODE=.*)$/m.exec(textOf("Dockerfile"))?.[1] ?? "";
    const image = Object.fromEntries(imageLine.split(" ").map((pair) => pair.split("=") as [string, string]));
    const compose = Object.fromEntries(
      [...textOf("compose.yaml").matchAll(/^ {4}((?:HOLDFAST|DATABASE)_\w+): (.+)$/gm)].map(([, name, value]) => [
        name ?? "",
        (value ?? "")
          .replace(/\$\{PUBLIC_URL:[^}]*\}/, "https://fleet.example.org")
          .replace(/\$\{POSTGRES_PASSWORD:[^}]*\}/, "word")
          .replace(/\$\{ASSISTANTS_SEALING_KEY:[^}]*\}/, "k".repeat(43))
          .replaceAll('"', ""),
      ]),
    );
    const resolved = resolveConfig({
      argv: [],
      environment: { ...image, ...compose },
      directory: "/app",
      readFile: () => undefined,
    });
    expect(resolved).toMatchObject({
      config: {
        mode: "production",
        host: "0.0.0.0",
        data: "/data",
        publicUrl: "https://fleet.example.org",
        trustProxies: ["172.30.44.0/24"],
        database: { url: "postgres://holdfast:word@postgres:5432/holdfast" },
        signIn: { links: true },
        agents: { shell: false, demo: false, assistants: true },
        assistants: { sealingKey: "k".repeat(43) },
      },
      unknownEnvironment: [],
    });
  });
});

it("compose's servers may all run the assistants, and all can open their models' keys", () => {
  const [, all = ""] = /^services:\n(.*?)^networks:/ms.exec(textOf("compose.yaml")) ?? [];
  const services = all.split(/^ {2}(?=[\w-]+:$)/m);
  const servers = services.filter((service) => /^server-\w+:/.test(service));
  expect(servers).toHaveLength(2);
  // No setting of its own: what the other has encrypted, this one opens.
  for (const service of servers) expect(service).not.toContain("HOLDFAST_");
});

describe("the health check", () => {
  async function health(status: number | "none"): Promise<number | null> {
    const data = mkdtempSync(join(tmpdir(), "holdfast-health-"));
    onTestFinished(() => rmSync(data, { recursive: true, force: true }));
    if (status !== "none") {
      const server = createServer((request, response) => {
        response.statusCode = request.url === "/readyz" ? status : 404;
        response.end();
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      onTestFinished(() => void server.close());
      const { port } = server.address() as { port: number };
      writeFileSync(
        join(data, "server.json"),
        JSON.stringify({ url: `http://127.0.0.1:${port}`, pid: 1, version: "1" }),
      );
    }
    const child = spawn(process.execPath, [join(deploy, "health.mjs")], {
      env: { ...process.env, HOLDFAST_DATA: data },
      stdio: "ignore",
    });
    return await new Promise((done) => child.once("exit", done));
  }

  it("is good where the server is ready, bad where it drains, and bad where there is none", async () => {
    expect(await health(200)).toBe(0);
    expect(await health(503)).toBe(1);
    expect(await health("none")).toBe(1);
  });
});
