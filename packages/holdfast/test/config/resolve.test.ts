/** The configuration matrix: every layer, every wrong value. */
import { defaultAdmissionLimits } from "@holdfast/server/admission";
import { describe, expect, it } from "vitest";
import { type Config, environmentName, fields } from "../../src/config/fields.ts";
import { maskedValue, printConfig } from "../../src/config/print.ts";
import { resolveConfig } from "../../src/config/resolve.ts";

const directory = "/made/up/folder";
const ownFile = "/made/up/folder/.holdfast/config.json";

function resolved(argv: string[] = [], environment: Record<string, string> = {}, files: Record<string, string> = {}) {
  return resolveConfig({ argv, environment, directory, readFile: (path) => files[path] });
}

function ok(...given: Parameters<typeof resolved>) {
  const result = resolved(...given);
  if ("problem" in result) throw new Error(result.problem);
  return result;
}

function problem(...given: Parameters<typeof resolved>): string {
  const result = resolved(...given);
  if (!("problem" in result)) throw new Error("this was accepted");
  return result.problem;
}

describe("layers", () => {
  it("has the documented defaults", () => {
    const expected: Config = {
      port: 4400,
      host: "127.0.0.1",
      data: "/made/up/folder/.holdfast",
      mode: "local",
      publicUrl: null,
      tls: { cert: null, key: null },
      trustProxies: [],
      retention: { workDays: 90, workGigabytes: 10, recordDays: 14, auditDays: 365 },
      database: { url: null, busUrl: null },
      origins: [],
      log: { level: "info", format: "auto" },
      flags: { file: null },
      metrics: { dashboardNames: false },
      alerts: { webhook: null },
      agents: { shell: true, demo: true, assistants: true },
      assistants: { sealingKey: null, firstTokenSeconds: 60, betweenTokensSeconds: 60, answerSeconds: 900 },
      printSignIn: false,
      signIn: {
        links: null,
        lifeSeconds: 2_592_000,
        keyDays: 90,
        supabase: { url: null, secret: null, publishableKey: null, role: "viewer" },
        oidc: { issuer: null, clientId: null, clientSecret: null, name: "single sign-on", role: "viewer" },
        issuers: [],
      },
      admission: defaultAdmissionLimits,
    };
    expect(ok().config).toEqual(expected);
  });

  it("lets flags win over environment over file over default, and tells the source of each", () => {
    const files = {
      [ownFile]: '{"port": 1, "log": {"level": "warn"}, "agents": {"demo": false}, "origins": ["https://a.example"]}',
    };
    const environment = { HOLDFAST_PORT: "2", HOLDFAST_LOG_LEVEL: "error", HOLDFAST_PRINT_SIGN_IN: "true" };
    const { config, sources } = ok(["--port", "3"], environment, files);
    expect(config).toMatchObject({
      port: 3,
      log: { level: "error", format: "auto" },
      agents: { shell: true, demo: false },
      printSignIn: true,
      origins: ["https://a.example"],
    });
    expect(sources.get("port")).toEqual({ layer: "flag", name: "--port" });
    expect(sources.get("log.level")).toEqual({ layer: "environment", name: "HOLDFAST_LOG_LEVEL" });
    expect(sources.get("agents.demo")).toEqual({ layer: "file", path: ownFile });
    expect(sources.get("host")).toEqual({ layer: "default" });
  });

  it("finds config.json in the data folder, whichever layer names that", () => {
    const files = { "/elsewhere/config.json": '{"port": 5}', [ownFile]: '{"port": 6}' };
    expect(ok(["--data", "/elsewhere"], {}, files).config.port).toBe(5);
    expect(ok([], { HOLDFAST_DATA: "/elsewhere" }, files).config.port).toBe(5);
    expect(ok(["--data=.holdfast"], { HOLDFAST_DATA: "/elsewhere" }, files).config.port).toBe(6);
  });

  it("reads --config instead of the data folder's file, and lets it set the data folder", () => {
    const files = { "/made/up/folder/other.json": '{"port": 7, "data": "there"}', [ownFile]: "not even JSON" };
    expect(ok(["--config", "other.json"], {}, files).config).toMatchObject({ port: 7, data: "/made/up/folder/there" });
  });

  it("takes the last of a flag given twice, and an empty variable as unset", () => {
    expect(ok(["--port", "1", "--port=2"]).config.port).toBe(2);
    expect(ok([], { HOLDFAST_PORT: "" }).config.port).toBe(4400);
  });

  it("tells of variables that no setting reads", () => {
    expect(ok([], { HOLDFAST_PROT: "1", HOLDFAST_KEY: "hfk_x", PATH: "/bin" }).unknownEnvironment).toEqual([
      "HOLDFAST_PROT",
    ]);
  });

  it("derives one environment name for each field, each once", () => {
    const names = fields.map((field) => environmentName(field.path));
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("HOLDFAST_AGENTS_SHELL");
    expect(names).toContain("HOLDFAST_PRINT_SIGN_IN");
  });
});

describe("a wrong flag or value is one sentence that names it and says what to do", () => {
  const table: [title: string, given: Parameters<typeof resolved>, parts: string[]][] = [
    ["an unknown flag", [["--prot", "1"]], ['"--prot"', "--port"]],
    ["a short flag", [["-p", "1"]], ['"-p"', "--port"]],
    ["a name that every object has", [["--constructor=1"]], ['"--constructor"', "--port"]],
    ["a word", [["now"]], ['"now"', "flags"]],
    ["a word behind --", [["--", "bash"]], ['"bash"', "flags"]],
    ["a flag without value", [["--port"]], ["--port needs a value"]],
    ["a flag where a value was due", [["--port", "--host", "::1"]], ["--port needs a value"]],
    ["a switch with a value", [["--print-config=yes"]], ["--print-config", '"yes"', "alone"]],
    ["a port that is no number", [["--port", "abc"]], ["--port", '"abc"', "0 to 65535"]],
    ["a port out of range", [["--port", "65536"]], ['"65536"', "0 to 65535"]],
    ["a negative port", [["--port=-1"]], ['"-1"', "0 to 65535"]],
    ["a fractional port", [["--port", "80.5"]], ['"80.5"', "whole number"]],
    ["a port in another notation", [["--port", "0x50"]], ['"0x50"', "whole number"]],
    ["an empty port", [["--port="]], ['""', "whole number"]],
    ["a host that is a name", [["--host", "example.org"]], ["--host", '"example.org"', "127.0.0.1"]],
    ["a public URL with a path", [["--public-url", "https://a.example/x"]], ["--public-url", '"https://a.example/x"']],
    ["a proxy that is a name", [["--trust-proxies", "10.0.0.1,proxy"]], ["--trust-proxies", '"10.0.0.1,proxy"']],
    ["half of the TLS files", [["--tls-cert", "cert.pem"]], ["tls.cert", "tls.key", "--tls-key"]],
    ["a host like an address", [["--host", "127.0.0.1.example.org"]], ['"127.0.0.1.example.org"', "127.0.0.1"]],
    ["an unknown mode", [["--mode", "test"]], ["--mode", '"test"', "local, development, production"]],
    [
      "[F79] production without a store that was named",
      [["--mode", "production", "--public-url", "https://fleet.example.org"]],
      ["production", "--database-url", "--data"],
    ],
    [
      "[F79] a link to print where links sign nobody in",
      [["--mode", "production", "--data", "/store", "--print-sign-in"]],
      ["printSignIn", "signIn.links"],
    ],
    ["an empty data folder", [["--data="]], ["--data", "path"]],
    ["a NUL in a path", [["--data", "a\0b"]], ["--data", "NUL"]],
    ["a missing --config", [["--config", "no.json"]], ['"no.json"', "does not exist"]],
    ["a variable", [[], { HOLDFAST_PORT: "many" }], ["HOLDFAST_PORT", '"many"', "whole number"]],
    ["a truth value", [[], { HOLDFAST_AGENTS_DEMO: "maybe" }], ["HOLDFAST_AGENTS_DEMO", '"maybe"', "true or false"]],
    [
      "an origin with a path",
      [[], { HOLDFAST_ORIGINS: "https://a.example/app" }],
      ['"https://a.example/app"', "without path"],
    ],
    ["an origin with a wildcard", [[], { HOLDFAST_ORIGINS: "https://a.example,*" }], ["HOLDFAST_ORIGINS", "wildcard"]],
    ["a file that is no JSON", [[], {}, { [ownFile]: "{port: 1}\nsecond line" }], [ownFile, "not JSON"]],
    ["a file that is a list", [[], {}, { [ownFile]: "[]" }], [ownFile, "one JSON object"]],
    ["an unknown key", [[], {}, { [ownFile]: '{"prot": 1}' }], [ownFile, '"prot"', "port"]],
    ["an unknown key below", [[], {}, { [ownFile]: '{"log": {"levle": "info"}}' }], ['"log.levle"', "log.level"]],
    ["__proto__ as key", [[], {}, { [ownFile]: '{"__proto__": 1}' }], ['"__proto__"', "no setting"]],
    ["a value where a group is due", [[], {}, { [ownFile]: '{"log": "info"}' }], ["log", "group"]],
    [
      "a text where a number is due",
      [[], {}, { [ownFile]: '{"port": "4400"}' }],
      [`port in ${ownFile}`, '"4400"', "whole number"],
    ],
    ["null", [[], {}, { [ownFile]: '{"mode": null}' }], ["mode", "null", "local, development"]],
    ["data in the data folder's own file", [[], {}, { [ownFile]: '{"data": "x"}' }], ['"data"', "--data"]],
    [
      "[AU-6] development in production",
      [["--mode", "development"], { NODE_ENV: "production" }],
      ["development", "NODE_ENV", "--mode local"],
    ],
  ];

  it.each(table)("%s", (_title, given, parts) => {
    const sentence = problem(...given);
    for (const part of parts) expect(sentence).toContain(part);
    expect(sentence).toMatch(/^[^\n]*\.$/);
  });

  it("a file that cannot be read", () => {
    const readFile = () => {
      throw new Error("EACCES: permission denied");
    };
    const result = resolveConfig({ argv: [], environment: {}, directory, readFile });
    expect(result).toMatchObject({ problem: expect.stringContaining("EACCES: permission denied") });
  });

  it.each(["127.0.0.1", "127.9.9.9", "::1", "localhost", "0.0.0.0", "::"])("accepts %s as an address", (host) => {
    expect(ok(["--host", host]).config.host).toBe(host);
  });
});

describe("--print-config", () => {
  it("is asked for beside any other flag, and shows each leaf with value, source and sentence", () => {
    const {
      config,
      sources,
      printConfig: asked,
    } = ok(["--print-config", "--port", "0"], { HOLDFAST_MODE: "development" });
    expect(asked).toBe(true);
    const shown = JSON.parse(printConfig(config, sources));
    expect(shown.port).toEqual({ value: 0, unit: "TCP port", source: "flag --port", about: expect.any(String) });
    expect(shown.mode).toMatchObject({ value: "development", source: "environment HOLDFAST_MODE" });
    expect(shown.log.level).toMatchObject({ value: "info", source: "default" });
    expect(countLeaves(shown)).toBe(fields.length);
  });

  it("masks what is secret", () => {
    const { config, sources } = ok(["--data", "/CANARY"]);
    const table = fields.map((field) => (field.path === "data" ? { ...field, secret: true } : field));
    const text = printConfig(config, sources, table);
    expect(text).not.toContain("CANARY");
    expect(JSON.parse(text).data.value).toBe(maskedValue);
  });
});

describe("the database", () => {
  const url = "postgres://ada:CANARY@db.example:6543/fleet";

  it("is named by a flag, by our variable, or by the common one, in this order", () => {
    const environment = { DATABASE_URL: `${url}3`, HOLDFAST_DATABASE_URL: `${url}2`, BUS_DATABASE_URL: `${url}4` };
    const { config, sources } = ok(["--database-url", url], environment);
    expect(config.database).toEqual({ url, busUrl: `${url}4` });
    expect(sources.get("database.busUrl")).toEqual({ layer: "environment", name: "BUS_DATABASE_URL" });
    expect(ok([], environment).config.database.url).toBe(`${url}2`);
    expect(ok([], { DATABASE_URL: url }).config.database.url).toBe(url);
  });

  it("is never shown: neither in the tree nor where it is wrong", () => {
    const { config, sources } = ok(["--database-url", url]);
    expect(printConfig(config, sources)).not.toContain("CANARY");
    const sentence = problem(["--database-url", "mysql://ada:CANARY@db.example/fleet"]);
    expect(sentence).toMatch(/^--database-url, which is not shown, must be a URL of PostgreSQL/);
    expect(sentence).not.toContain("CANARY");
  });
});

function countLeaves(tree: Record<string, unknown>): number {
  if ("source" in tree) return 1;
  return Object.values(tree).reduce<number>((sum, below) => sum + countLeaves(below as Record<string, unknown>), 0);
}
