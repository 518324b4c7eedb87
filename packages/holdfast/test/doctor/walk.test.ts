/** `holdfast doctor` over real sockets of loopback: each thing that goes wrong is named, and what to do. */
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSession } from "@holdfast/client";
import type { Server } from "@holdfast/server";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../src/commandLine/exitCodes.ts";
import { closedPort, examine, forwardTo, startHttp, startServer, startSlowLine } from "../support/doctor.ts";
import { makeFolder } from "../support/folders.ts";

const deliveryMsMax = 60_000;
const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const pem = (name: string) => new URL(`../../../server/test/support/tls/${name}.pem`, import.meta.url);
const tls = { cert: pem("cert"), key: pem("key") };
const steps = (lines: readonly string[]): string[] => lines.map((line) => line.slice(0, 18).replace(/ +/g, " ").trim());

const notes = 400;

/** Somebody adds so many notes: events of the stream `notes`. */
async function write(server: Server, key: string, count: number): Promise<void> {
  const url = `${server.localUrl.replace("http", "ws")}/ws`;
  const session = createSession<{ "note.add": { params: { text: string }; result: unknown } }>({
    url,
    clientName: "test",
    getToken: async () => key,
  });
  try {
    const text = "a note that is long enough to be cut in the middle of it ".repeat(2);
    await Promise.all(
      Array.from({ length: count }, (_, index) => session.call("note.add", { text: `${text}${index}` })),
    );
  } finally {
    await session.close();
  }
}

describe("a way that is sound", () => {
  it("each step says what it found, a stream is read across cuts with nothing lost or repeated, and the key is not shown", {
    timeout: deliveryMsMax,
  }, async () => {
    const server = await startServer({ mode: "local" });
    const key = await server.operatorKey();
    await write(server, key, notes);
    const file = join(makeFolder(), "key");
    writeFileSync(file, `${key}\n`);
    // More is written while it is read.
    const writing = write(server, key, 50);
    const { code, lines, errors } = await examine(server.url, "--key-file", file, "--stream", "notes");
    await writing;
    expect(steps(lines)).toEqual([
      "name ok",
      "tcp ok",
      "http ok",
      "upgrade ok",
      "hello ok",
      "subscribe ok",
      "round trip ok",
      "delivery ok",
    ]);
    expect(lines[2]).toContain('"1.2.3", mode "local", store "sqlite"');
    const end = /complete to #(\d+), 0 lost, 0 repeated \((\d+) events read across 3 cuts and 1 stall\)/.exec(
      lines.at(-1) ?? "",
    );
    expect(Number(end?.[1])).toBe(notes + 50);
    expect(Number(end?.[2])).toBe(notes + 50);
    expect({ code, errors }).toEqual({ code: exitCodes.done, errors: "" });
    expect(lines.join("\n")).not.toContain(key);
  });

  it("a stream that is not there is an answer, and how another is named", async () => {
    const server = await startServer();
    const { code, lines, last } = await examine(server.url);
    expect(steps(lines).at(-1)).toBe("round trip ok");
    expect(lines.at(-2)).toContain('no "fleet" for us; name a stream as --stream <name>');
    expect(last).toMatch(/10 pings, median [\d.]+ ms, worst [\d.]+ ms$/);
    expect(code).toBe(exitCodes.done);
  });

  it("over TLS, with an authority of one's own, also through the cuts", { timeout: deliveryMsMax }, async () => {
    const server = await startServer({ tls });
    const { code, output } = await new Promise<{ code: unknown; output: string }>((done) => {
      const argv = [main, "doctor", server.url, "--stream", "notes"];
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: fileURLToPath(pem("cert")) };
      execFile(process.execPath, argv, { env, timeout: deliveryMsMax }, (error, stdout) =>
        done({ code: error === null ? 0 : error.code, output: stdout }),
      );
    });
    expect(output).toMatch(/^tls +ok +TLSv1\.3, certificate for 127\.0\.0\.1 by /m);
    expect(output).toMatch(
      /^delivery +ok +complete to #0, 0 lost, 0 repeated \(no event in it yet; back after 3 cuts/m,
    );
    expect(code).toBe(0);
  });
});

describe("a way that is not sound", () => {
  it("a wrong port, where nothing listens", async () => {
    const { code, last } = await examine(`http://127.0.0.1:${await closedPort()}`);
    expect(last).toMatch(/^tcp +wrong +nothing listens at 127\.0\.0\.1:\d+; check the port/);
    expect(code).toBe(exitCodes.failed);
  });

  it("a wrong port, where another program listens", async () => {
    const url = await startHttp((_, response) => response.writeHead(404, { "content-type": "text/html" }).end("<p>no"));
    const { code, last } = await examine(url);
    expect(last).toMatch(
      /^http +wrong .*answers 404 to \/healthz, and it is no Holdfast server.*"text\/html".*check the port/,
    );
    expect(code).toBe(exitCodes.failed);
  });

  it("a proxy that sends on to another address, as from http to https: it is named, and nothing goes there", async () => {
    let asked = 0;
    const there = await startHttp((_, response) => {
      asked += 1;
      response.end();
    });
    const url = await startHttp(({ url: path }, response) => response.writeHead(301, { location: there + path }).end());
    const { code, last } = await examine(url);
    expect(last).toContain(
      `sends /healthz on to "${there}/healthz" (301); give that address, if it is yours: holdfast doctor ${there}.`,
    );
    expect([code, asked]).toEqual([exitCodes.failed, 0]);
  });

  it("a proxy that sends on to a page of its own", async () => {
    const url = await startHttp((_, response) => response.writeHead(302, { location: "/login?next=%2F&jwt=x" }).end());
    const { last } = await examine(url);
    expect(last).toMatch(
      /^http +wrong .*sends \/healthz on to "[^"?]*\/login" \(302\); a proxy asks for a sign-in of its own/,
    );
  });

  it("a name that nobody knows", async () => {
    const { code, last } = await examine("http://holdfast.invalid");
    expect(last).toMatch(/^name +wrong +"holdfast\.invalid" has no address \(E\w+\); check the name/);
    expect(code).toBe(exitCodes.failed);
  });

  it("TLS that is missing: an https address of a port in the clear", async () => {
    const server = await startServer();
    const { code, last } = await examine(server.url.replace("http:", "https:"));
    expect(last).toMatch(/^tls +wrong +there is no TLS at 127\.0\.0\.1:\d+ .*write http:\/\//);
    expect(code).toBe(exitCodes.failed);
  });

  it("TLS that was not asked for: an http address of a port with TLS", async () => {
    const server = await startServer({ tls });
    const { code, last } = await examine(server.url.replace("https:", "http:"));
    expect(last).toMatch(/^http +wrong +127\.0\.0\.1:\d+ speaks TLS, and was asked without; write https:\/\//);
    expect(code).toBe(exitCodes.failed);
  });

  it("a certificate that nobody vouches for", async () => {
    const server = await startServer({ tls });
    const { code, last } = await examine(server.url);
    expect(last).toMatch(
      /^tls +wrong +nobody whom this machine trusts .*DEPTH_ZERO_SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/,
    );
    expect(code).toBe(exitCodes.failed);
  });

  it("a proxy that does not pass the upgrade on, though the server answers in its own words", async () => {
    const server = await startServer();
    const { code, lines, last } = await examine(await startHttp(forwardTo(server.url)));
    expect(steps(lines).slice(2)).toEqual(["http ok", "upgrade wrong"]);
    expect(last).toMatch(/a proxy in between does not pass the upgrade on; let it pass Upgrade and Connection on/);
    expect(code).toBe(exitCodes.failed);
  });

  it.each<[number, RegExp]>([
    [
      502,
      /something in between answered 502 to the upgrade \("small box", "text\/html"\); it does not reach the server/,
    ],
    [400, /something in between answered 400 to the upgrade .*does not pass the upgrade on/],
    [401, /something in between answered 401 .*a sign-in of its own/],
  ])("a proxy that refuses the upgrade itself, with %i", async (status, sentence) => {
    const server = await startServer();
    const forward = forwardTo(server.url);
    const url = await startHttp((request, response) => {
      if (request.url !== "/ws") return forward(request, response);
      response.writeHead(status, { server: "small box", "content-type": "text/html" }).end("<h1>no</h1>");
    });
    const { code, last } = await examine(url);
    expect(last).toMatch(/^upgrade +wrong/);
    expect(last).toMatch(sentence);
    expect(code).toBe(exitCodes.failed);
  });

  it("a proxy whose refusal has the form of ours, and is not", async () => {
    const problem = { type: "about:blank", title: "Forbidden", status: 403, detail: "Not here." };
    const server = await startServer();
    const forward = forwardTo(server.url);
    const url = await startHttp((request, response) => {
      if (request.url !== "/ws") return forward(request, response);
      response.writeHead(403, { "content-type": "application/problem+json" }).end(JSON.stringify(problem));
    });
    const { last } = await examine(url);
    expect(last).toMatch(/^upgrade +wrong +something in between answered 403 .*a sign-in of its own/);
  });

  it("[AU-5] a foreign origin, and which setting takes it; an allowed one passes", async () => {
    const server = await startServer({ origins: ["https://app.example.org"] });
    const foreign = await examine(server.url, "--origin", "https://evil.example");
    expect(foreign.last).toMatch(
      /^upgrade +wrong +the server does not take connections from pages of https:\/\/evil\.example .*to its setting origins/,
    );
    expect(foreign.code).toBe(exitCodes.failed);
    const allowed = await examine(server.url, "--origin", "https://app.example.org", "--stream", "none");
    expect(allowed.code).toBe(exitCodes.done);
  });

  it("[AU-5] a Host that is not the server's, in the server's own words", async () => {
    const server = await startServer();
    const { code, last } = await examine(server.url.replace("127.0.0.1", "0.0.0.0"));
    expect(last).toMatch(/^http +wrong +the server itself refuses, 403 "forbidden"; it says "Host /);
    expect(code).toBe(exitCodes.failed);
  });

  it("[AU-2] nobody signed in, and how a key is passed", async () => {
    const server = await startServer({ mode: "local" });
    const { code, last } = await examine(server.url);
    expect(last).toMatch(
      /^hello +wrong +nobody is signed in \("Nobody is signed in\."\); pass an API key .*--key-file/,
    );
    expect(code).toBe(exitCodes.failed);
  });

  it("[AU-4] a token that has expired, which is not shown", async () => {
    const secret = "0123456789abcdef0123456789abcdef";
    const issuer = "https://id.example.org";
    const server = await startServer({ mode: "local", issuers: [{ issuer, secret }] });
    const exp = Math.floor(Date.now() / 1_000) - 3_600;
    const token = signed({ iss: issuer, sub: "somebody", exp }, secret);
    const { code, lines, last } = await examine(server.url, "--key", token);
    expect(last).toMatch(/^hello +wrong +the token has expired \(.*\); get a fresh one/);
    expect(lines.join("\n")).not.toContain(token);
    expect(code).toBe(exitCodes.failed);
  });

  it("[AU-3] a key that is none of this server's", async () => {
    const server = await startServer({ mode: "local" });
    const { code, lines, last } = await examine(server.url, "--key", "hfk_somebody.elses.key");
    expect(last).toMatch(/^hello +wrong +the server does not accept the key .*pass a key of this server/);
    expect(lines.join("\n")).not.toContain("somebody.elses");
    expect(code).toBe(exitCodes.failed);
  });

  it("a slow link, and the rest of the way all the same", async () => {
    const line = await startSlowLine(260);
    const server = await startServer({ publicUrl: `http://127.0.0.1:${line.port}` });
    line.leadTo(server.port);
    const { code, last } = await examine(`http://127.0.0.1:${line.port}`);
    expect(last).toMatch(/^round trip +wrong +10 pings, median [5-9]\d\d ms, worst \d+ ms: a slow link, over 500 ms; /);
    expect(code).toBe(exitCodes.failed);
  });
});

describe("a hostile answer", () => {
  it("is read to a limit, and shown as one harmless line without the key", async () => {
    const key = "hfk_my.own.key";
    const evil = `\u001b[2J\u202e${key} Bearer abc.def eyJhbGciOi.eyJzdWIi.c2ln ${"x".repeat(5_000)}`;
    const url = await startHttp((_, response) => {
      response.writeHead(200, { "content-type": "application/json", server: "eyJhbGciOi.eyJzdWIi.c2ln" });
      response.end(JSON.stringify({ status: "ok", version: evil, mode: evil, store: evil }));
    });
    const { lines } = await examine(url, "--key", key);
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      expect(line).not.toMatch(/\p{Cc}|\u202e|my\.own|abc\.def|eyJ/u);
      expect(line.length).toBeLessThan(1_100);
    }
  });

  it("that never ends costs 64 KiB", async () => {
    let sent = 0;
    const piece = "x".repeat(16 * 1_024);
    const url = await startHttp((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(piece)) sent += piece.length;
        sent += piece.length;
      };
      response.on("drain", more);
      more();
    });
    const { last } = await examine(url);
    expect(last).toMatch(/^http +wrong/);
    // What lies in the sockets' own buffers comes on top.
    expect(sent).toBeLessThan(32 * 1_024 * 1_024);
  });

  it("that comes byte by byte is waited for 10 s", async () => {
    const url = await startHttp((_, response) => {
      const timer = setInterval(() => response.write("x"), 100);
      response.once("close", () => clearInterval(timer));
    });
    const begun = performance.now();
    const { last } = await examine(url);
    expect(last).toMatch(/^http +wrong .*gives no HTTP answer \(ETIMEDOUT: "no answer within 10000 ms"\)/);
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});

/** HS256, as shared-secret issuers sign. */
function signed(claims: object, secret: string): string {
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
