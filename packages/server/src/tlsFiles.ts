/**
 * The certificate and its key that this server ends TLS with: read at the start, and again once they are renewed.
 *
 * Life cycle: read and tried, or refused with a `StartError` → looked at each {@link lookMs} → files that have changed and
 * belong together are taken, told once → others are told once, and what was read before goes on (a renewal writes one
 * file after the other) → stopped. Invariants: connections that are open keep what they began with; a certificate that
 * ends within {@link soonMs} is told once a day, since nobody can tell it later to those who then stay away. It looks at
 * times and sizes, since change notices differ between systems and miss what is replaced by a link.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Log } from "./observe/log.ts";
import { StartError } from "./options.ts";

export const lookMs = 60_000;
const dayMs = 86_400_000;
export const soonMs = 14 * dayMs;

export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
}

export interface TlsFiles extends TlsPaths {
  readonly pair: { readonly cert: Buffer; readonly key: Buffer };
}

/** Throws a `StartError` that names the file and what to do. */
export function readTlsFiles(paths: TlsPaths): TlsFiles {
  const [cert, key] = [readPem("cert", paths.cert), readPem("key", paths.key)];
  if (key.includes("ENCRYPTED"))
    throw new StartError(
      `tls.key: ${paths.key} is encrypted, and nobody could give its passphrase at a start; give it decrypted, readable by this user only.`,
    );
  try {
    createSecureContext({ cert, key });
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) throw new Error("the key is another's");
  } catch (error) {
    throw new StartError(
      `tls: ${paths.cert} and ${paths.key} are no certificate and its key (${messageOf(error)}); give two PEM files that belong together.`,
      { cause: error },
    );
  }
  return { ...paths, pair: { cert, key } };
}

export interface TlsWatchParts {
  readonly files: TlsFiles;
  /** For every connection from now on. */
  readonly take: (pair: TlsFiles["pair"]) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Gives back how to stop. */
export function watchTlsFiles({ files, take, clock, log }: TlsWatchParts): () => void {
  const { cert, key } = files;
  let seen = stateOf(files);
  let ends = endOf(files);
  let toldAt = Number.NEGATIVE_INFINITY;
  let timer: TimerHandle | undefined;

  const tellEnd = (): void => {
    if (ends - clock.now() > soonMs || clock.monotonic() - toldAt < dayMs) return;
    toldAt = clock.monotonic();
    log.warn("tls.ending", { cert, ends: new Date(ends).toISOString(), advice: "renew it; it is read anew by itself" });
  };

  const look = (): void => {
    const state = stateOf(files);
    if (state !== seen) {
      seen = state;
      try {
        const renewed = readTlsFiles(files);
        take(renewed.pair);
        ends = endOf(renewed);
        toldAt = Number.NEGATIVE_INFINITY;
        log.info("tls.renewed", { cert, ends: new Date(ends).toISOString() });
      } catch (error) {
        log.warn("tls.refused", { cert, key, error, meaning: "the certificate that was read before goes on" });
      }
    }
    tellEnd();
    timer = clock.after(lookMs, look);
  };

  tellEnd();
  timer = clock.after(lookMs, look);
  return () => {
    if (timer !== undefined) clock.cancel(timer);
  };
}

/** ms since 1970. */
const endOf = ({ pair }: TlsFiles): number => Date.parse(new X509Certificate(pair.cert).validTo);

/** Of both files; what is behind a link, as renewals replace it. */
function stateOf({ cert, key }: TlsPaths): string {
  return [cert, key]
    .map((path) => {
      const state = statSync(path, { throwIfNoEntry: false });
      return state === undefined ? "gone" : `${state.mtimeMs} ${state.size} ${state.ino}`;
    })
    .join("\n");
}

function readPem(field: "cert" | "key", path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    throw new StartError(`tls.${field}: ${path} cannot be read (${code}); give a PEM file that this user may read.`, {
      cause: error,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
