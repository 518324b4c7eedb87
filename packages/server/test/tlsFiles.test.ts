/**
 * A certificate that is renewed, or about to end, while the server runs: two pairs that were made beforehand, a clock that
 * stands still, and one real handshake.
 */
import { X509Certificate } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import type { Clock } from "@holdfast/protocol";
import { afterEach, expect, it, vi } from "vitest";
import { createServer } from "../src/index.ts";
import { platformClock } from "../src/ports/platform.ts";
import { lookMs, readTlsFiles, soonMs, type TlsFiles, watchTlsFiles } from "../src/tlsFiles.ts";
import { collectLog } from "./auth/authWorld.ts";
import { createSimClock } from "./support/simClock.ts";

const pem = (name: string): string => fileURLToPath(new URL(`./support/tls/${name}.pem`, import.meta.url));
const nameOf = (cert: Buffer | string): string => new X509Certificate(cert).subject;
const first = nameOf(readFileSync(pem("cert")));
const second = nameOf(readFileSync(pem("renewedCert")));
const dayMs = 86_400_000;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

let times = 1_000;
function put(name: string, file: string): void {
  copyFileSync(pem(name), file);
  // A file system may keep times in steps that two writes of a test share.
  utimesSync(file, times, times);
  times += 1;
}

function makeFiles(): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-tls-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  const paths = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  put("cert", paths.cert);
  put("key", paths.key);
  return paths;
}

function watched(startMs?: number) {
  const paths = makeFiles();
  const clock = createSimClock(startMs);
  const { lines, log } = collectLog();
  const taken: TlsFiles["pair"][] = [];
  cleanUps.push(watchTlsFiles({ files: readTlsFiles(paths), take: (pair) => taken.push(pair), clock, log }));
  const told = (): string[] => lines.map(({ event }) => event);
  return { paths, clock, taken, told, lines };
}

it("[AU-5] a renewed certificate is taken within a look, once; half a renewal is told, and changes nothing", async () => {
  const { paths, clock, taken, told } = watched();
  await clock.advance(10 * lookMs);
  expect([taken.length, told()]).toEqual([0, []]);
  put("renewedCert", paths.cert);
  await clock.advance(3 * lookMs);
  expect([taken.length, told()]).toEqual([0, ["tls.refused"]]);
  put("renewedKey", paths.key);
  await clock.advance(3 * lookMs);
  expect(taken.map(({ cert }) => nameOf(cert))).toEqual([second]);
  expect(told()).toEqual(["tls.refused", "tls.renewed"]);
  rmSync(paths.cert);
  await clock.advance(3 * lookMs);
  expect([taken.length, told().slice(2)]).toEqual([1, ["tls.refused"]]);
});

it("[AU-5] a certificate that ends soon, or has ended, is told once a day until it is renewed", async () => {
  const ends = Date.parse(new X509Certificate(readFileSync(pem("cert"))).validTo);
  const { clock, told, lines, paths } = watched(ends - soonMs - dayMs);
  expect(told()).toEqual([]);
  await clock.advance(dayMs + lookMs);
  expect(lines).toMatchObject([
    { event: "tls.ending", fields: { cert: paths.cert, ends: new Date(ends).toISOString() } },
  ]);
  await clock.advance(16 * dayMs);
  expect(told()).toHaveLength(17);
});

it("[AU-5] a key with a passphrase is refused as that", () => {
  const paths = makeFiles();
  writeFileSync(paths.key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n");
  expect(() => readTlsFiles(paths)).toThrow(/^tls\.key: .* is encrypted, and nobody could give its passphrase/);
});

it("[AU-5] a server shows who comes after the renewal the new one, and keeps who came before", async () => {
  const paths = makeFiles();
  // What comes each minute comes each 20 ms.
  const after: Clock["after"] = (ms, run) => platformClock.after(ms === lookMs ? 20 : ms, run);
  const { log, lines } = collectLog();
  const server = await createServer({
    app: new URL("./support/notesApp.ts", import.meta.url),
    data: mkdtempSync(join(tmpdir(), "holdfast-tls-")),
    log,
    clock: { ...platformClock, after },
    tls: paths,
  });
  cleanUps.push(() => server.close());
  const shown = async () => {
    const socket = connect({ port: server.port, host: "127.0.0.1", rejectUnauthorized: false });
    cleanUps.push(() => socket.destroy());
    await new Promise((done, fail) => socket.once("secureConnect", done).once("error", fail));
    return { socket, subject: nameOf(socket.getPeerX509Certificate()?.toString() ?? "") };
  };
  const before = await shown();
  expect(before.subject).toBe(first);
  put("renewedCert", paths.cert);
  put("renewedKey", paths.key);
  await vi.waitFor(() => expect(lines.map(({ event }) => event)).toContain("tls.renewed"));
  expect((await shown()).subject).toBe(second);
  expect(before.socket.readyState).toBe("open");
});
