/** What `holdfast agent` is asked to run. */
import { describe, expect, it } from "vitest";
import { type AgentInput, agentSettings } from "../../src/agent/options.ts";

function makeInput(argv: string[], given: Partial<AgentInput> = {}): AgentInput {
  return {
    argv,
    environment: {},
    directory: "/somewhere",
    platform: "linux",
    home: "/home/ada",
    hostname: "kelp",
    ...given,
  };
}

describe("agentSettings", () => {
  it("is this machine's shell by default", () => {
    expect(agentSettings(makeInput([]))).toEqual({
      name: "kelp",
      part: "shell",
      command: undefined,
      server: { url: "http://127.0.0.1:4400" },
      key: undefined,
      cwd: "/somewhere",
      keepEnv: false,
      state: "/home/ada/.local/state/holdfast/agents/kelp",
    });
  });

  it("is one program where a command stands behind --, whose flags are its own", () => {
    const argv = ["--name", "claude", "--keep-env", "--cwd", "sub", "--state", "s", "--", "claude", "--name", "x"];
    expect(agentSettings(makeInput(argv))).toMatchObject({
      name: "claude",
      part: "terminal",
      command: ["claude", "--name", "x"],
      keepEnv: true,
      cwd: "/somewhere/sub",
      state: "/somewhere/s",
    });
  });

  it.each([
    ["https://example.org/", { url: "https://example.org" }],
    ["HTTP://localhost:1", { url: "HTTP://localhost:1" }],
    [".holdfast/server.json", { file: "/somewhere/.holdfast/server.json" }],
    ["/data/server.json", { file: "/data/server.json" }],
  ])("finds the server at %s", (text, server) => {
    expect(agentSettings(makeInput(["--server", text]))).toMatchObject({ server });
  });

  it("takes the key from the flag before the environment, and an empty one as none", () => {
    const environment = { HOLDFAST_KEY: "hfk_environment" };
    expect(agentSettings(makeInput(["--key", "hfk_flag"], { environment }))).toMatchObject({ key: "hfk_flag" });
    expect(agentSettings(makeInput([], { environment }))).toMatchObject({ key: "hfk_environment" });
    expect(agentSettings(makeInput([], { environment: { HOLDFAST_KEY: " " } }))).toMatchObject({ key: undefined });
  });

  it.each([
    ["darwin", {}, "/home/ada/Library/Application Support/holdfast/agents/kelp"],
    ["linux", { XDG_STATE_HOME: "/state" }, "/state/holdfast/agents/kelp"],
    ["linux", { XDG_STATE_HOME: "relative" }, "/home/ada/.local/state/holdfast/agents/kelp"],
  ] as const)("keeps its state where %s keeps it (%o)", (platform, environment, state) => {
    expect(agentSettings(makeInput([], { platform, environment }))).toMatchObject({ state });
  });

  it("names its folder after any name without leaving the folder above", () => {
    expect(agentSettings(makeInput(["--name", "../../etc/x y"]))).toMatchObject({
      state: expect.stringMatching(/agents\/\.\.%2F\.\.%2Fetc%2Fx%20y$/),
    });
    expect(agentSettings(makeInput(["--name", ".."]))).toMatchObject({
      state: expect.stringMatching(/agents\/%2E%2E$/),
    });
  });

  it.each<[string, string[], string[]]>([
    ["an unknown flag", ["--nam", "x"], ['"--nam"', "--name"]],
    ["a program without --", ["bash"], ['"bash"', "behind --"]],
    ["nothing behind --", ["--"], ["behind --", "bash"]],
    ["an unknown kind", ["--kind", "acp"], ['"acp"', "shell, terminal, demo"]],
    ["a terminal without program", ["--kind", "terminal"], ["program", "--"]],
    ["a shell with program", ["--kind", "shell", "--", "bash"], ['"bash"', "--kind shell"]],
    ["an empty name", ["--name="], ['""', "--name"]],
    ["a name with a line end", ["--name", "a\nb"], ["visible"]],
    ["a name that is too long", ["--name", "x".repeat(201)], ["200"]],
    ["a server that is no URL", ["--server", "http://"], ['"http://"', "URL"]],
    ["a server of another scheme", ["--server", "ws://x"], ['"ws://x"', "http://"]],
  ])("refuses %s in one sentence", (_title, argv, parts) => {
    const result = agentSettings(makeInput(argv));
    if (!("problem" in result)) throw new Error("this was accepted");
    for (const part of parts) expect(result.problem).toContain(part);
    expect(result.problem).toMatch(/^[^\n]*\.$/);
  });
});
