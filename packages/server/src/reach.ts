/**
 * From where this server can be reached, and by which name: settled once, before anything listens (AU-5, W10).
 *
 * On loopback nothing need be said. Elsewhere what is sent must be encrypted, by us or by a proxy in front of us,
 * and people must have told the name under which they reach it, since a name that a request claims proves
 * nothing. Invariant: what passes here never sends a credential in the clear beyond this machine and its proxies.
 * It opens no socket; the certificate is read and tried, so that a wrong one is a sentence and no dead port.
 */
import { isIP } from "node:net";
import { type IsProxy, proxiesOf } from "./auth/clientAddress.ts";
import { originOf } from "./auth/hostOrigin.ts";
import { isLoopback } from "./loopback.ts";
import { StartError } from "./options.ts";
import { readTlsFiles, type TlsFiles, type TlsPaths } from "./tlsFiles.ts";

export interface ReachOptions {
  readonly host: string;
  readonly publicUrl: string | undefined;
  /** Paths of PEM files. */
  readonly tls: TlsPaths | undefined;
  readonly trustProxies: readonly string[];
}

export interface Reach {
  readonly host: string;
  /** Only programs of this machine reach it. */
  readonly loopback: boolean;
  /** As an origin: without a path. */
  readonly publicUrl: string | undefined;
  readonly tls: TlsFiles | undefined;
  readonly isProxy: IsProxy;
}

/** Throws a `StartError` that names the value and what to do. */
export function reachOf({ host, publicUrl, tls, trustProxies }: ReachOptions): Reach {
  const loopback = isLoopback(host);
  if (!loopback && isIP(host) === 0)
    throw new StartError(`host is "${host}": give an address to listen on, such as 127.0.0.1 or 0.0.0.0.`);
  const origin = publicUrl === undefined ? undefined : originOf(publicUrl, "publicUrl");
  const isEncrypted = origin?.startsWith("https:") === true;
  if (tls !== undefined && origin !== undefined && !isEncrypted)
    throw new StartError(`publicUrl is "${publicUrl}" while TLS files are given; begin it with https://.`);
  if (origin !== undefined && !isEncrypted && !isLoopback(new URL(origin).hostname.replace(/^\[|\]$/g, "")))
    throw new StartError(
      `publicUrl is "${publicUrl}": without TLS others could read what is sent; begin it with https://.`,
    );
  if (!loopback && (origin === undefined || (tls === undefined && trustProxies.length === 0)))
    throw new StartError(
      `host is "${host}", which other machines reach, and without TLS others could read what is sent: give --tls-cert, --tls-key and --public-url https://<name>, or behind a proxy that ends TLS --public-url https://<name> and --trust-proxies <address>, or keep --host 127.0.0.1 and come by \`ssh -L\`.`,
    );
  return {
    host,
    loopback,
    publicUrl: origin,
    tls: tls === undefined ? undefined : readTlsFiles(tls),
    isProxy: proxiesOf(trustProxies),
  };
}
