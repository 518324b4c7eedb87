/** What a failed or a distrusted TLS handshake means, in words. Pure. */
import { type Finding, sound, wrong } from "./finding.ts";
import { told } from "./printable.ts";
import type { Failure, Secured } from "./shell/reach.ts";
import type { Target } from "./target.ts";

const dayMs = 86_400_000;
/** Below it the end of a certificate is said first. */
const soonDays = 14;

/** The verdict on a handshake; `now` in ms since 1970. */
export function judgeTls(answer: Secured | Failure, { host, port }: Target, now: number): Finding {
  if (answer.kind === "failed") {
    if (/SSL|PROTO|TLS/.test(answer.code))
      return wrong(
        `there is no TLS at ${host}:${port} (${answer.code})`,
        `write http:// if it is a server of this machine; else let the server or a proxy end TLS there (docs/proxy-and-tls.md)`,
      );
    return wrong(
      `the TLS handshake did not come about (${answer.code}: ${told(answer.message)})`,
      "see what listens there, and whether a firewall in between cuts TLS",
    );
  }
  const { version, distrust, issuer, validTo } = answer;
  const end = Date.parse(validTo);
  if (distrust !== undefined) return distrusted(distrust, answer, host);
  const days = Math.floor((end - now) / dayMs);
  const until = `until ${told(validTo)}`;
  return sound(
    `${version}, certificate for ${host} by ${told(issuer)}, ${days < soonDays ? `only ${days} days left, ` : ""}${until}`,
  );
}

function distrusted(code: string, { issuer, validTo }: Secured, host: string): Finding {
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return wrong(`the certificate has expired (${told(validTo)})`, "renew it, and let the server read the new one");
    case "CERT_NOT_YET_VALID":
      return wrong(
        "the certificate is not valid yet",
        "set this machine's clock, or the one that made the certificate",
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return wrong(
        `the certificate is for another name than ${host}`,
        "use the name in the certificate, or get one for this name",
      );
    default:
      return wrong(
        `nobody whom this machine trusts vouches for the certificate of ${told(issuer)} (${told(code)})`,
        "install the whole chain on the server; for an authority of your own set NODE_EXTRA_CA_CERTS to its certificate",
      );
  }
}
