/**
 * The first three steps to a server: its name, a TCP connection, TLS. Sockets are closed as soon as they have answered.
 *
 * It tells what happened and judges nothing: {@link ../certificate.ts} and the walk do.
 */
import { lookup } from "node:dns/promises";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { within } from "../../shell/wait.ts";

export const nameMsMax = 10_000;
export const connectMsMax = 10_000;

/** Something that did not come about: the system's code for it, and its words. */
export interface Failure {
  readonly kind: "failed";
  readonly code: string;
  readonly message: string;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Secured {
  readonly kind: "secured";
  /** `TLSv1.3` */
  readonly version: string;
  /** Who vouches for the certificate, as it says. */
  readonly issuer: string;
  /** The certificate's end as it says it, `Oct 28 11:44:58 2126 GMT`. */
  readonly validTo: string;
  /** Why Node does not trust it; undefined where it does. */
  readonly distrust: string | undefined;
}

/** The addresses of a name, at most 10. */
export async function resolveName(host: string): Promise<readonly string[] | Failure> {
  const late: Failure = { kind: "failed", code: "ETIMEDOUT", message: `no answer within ${nameMsMax} ms` };
  try {
    return await within(
      lookup(host, { all: true }).then((found) => found.slice(0, 10).map(({ address }) => address)),
      nameMsMax,
      late,
    );
  } catch (error) {
    return failureOf(error);
  }
}

/** How long a TCP connection took, ms. */
export function reachPort({ host, port }: Place): Promise<{ readonly kind: "reached"; readonly ms: number } | Failure> {
  const begun = performance.now();
  return new Promise((done) => {
    const socket = connectTcp({ host, port, timeout: connectMsMax });
    const end = (answer: { kind: "reached"; ms: number } | Failure): void => {
      socket.destroy();
      done(answer);
    };
    socket.once("connect", () => end({ kind: "reached", ms: performance.now() - begun }));
    socket.once("timeout", () => end(lateBy(connectMsMax)));
    socket.on("error", (error) => end(failureOf(error)));
  });
}

/** A whole TLS handshake, with whatever certificate; whether it is trusted is told. */
export function secure({ host, port }: Place): Promise<Secured | Failure> {
  return new Promise((done) => {
    const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    // The certificate is looked at, not believed: nothing is sent over this connection.
    const socket = connectTls({ host, port, ...servername, rejectUnauthorized: false, timeout: connectMsMax });
    const end = (answer: Secured | Failure): void => {
      clearTimeout(timer);
      socket.destroy();
      done(answer);
    };
    const timer = setTimeout(() => end(lateBy(connectMsMax)), connectMsMax);
    socket.once("secureConnect", () => {
      const { issuer, valid_to } = socket.getPeerCertificate();
      const distrust = socket.authorized ? undefined : String(socket.authorizationError);
      const { O: organisation, CN: common } = issuer ?? {};
      end({
        kind: "secured",
        version: socket.getProtocol() ?? "TLS",
        issuer: String(organisation ?? common ?? "nobody"),
        validTo: String(valid_to),
        distrust,
      });
    });
    socket.on("error", (error) => end(failureOf(error)));
    socket.once("close", () => end({ kind: "failed", code: "ECONNRESET", message: "closed during the handshake" }));
  });
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { kind: "failed", code: "unknown", message: String(error) };
  // Several addresses that all failed are one error without words of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const told = first instanceof Error ? first : error;
  return { kind: "failed", code: "code" in told ? String(told.code) : told.name, message: told.message };
}

export function lateBy(ms: number): Failure {
  return { kind: "failed", code: "ETIMEDOUT", message: `no answer within ${ms} ms` };
}
