/** What the end of a connection means before it was of use, in words: by its close code (CL-2). Pure. */
import { closeCodes } from "@holdfast/protocol";
import { type Finding, wrong } from "./finding.ts";
import { told } from "./printable.ts";
import type { Over } from "./shell/conversation.ts";

/** `hasKey`: whether a credential was sent. */
export function judgeClosing({ code, reason }: Over, hasKey: boolean): Finding {
  const said = reason === "" ? "" : ` (${told(reason)})`;
  switch (code) {
    case closeCodes.unauthenticated:
    case closeCodes.policyViolation:
      return hasKey
        ? refusedKey(reason, said)
        : wrong(`nobody is signed in${said}`, "pass an API key or a token as --key-file <file> or --key <key>");
    case closeCodes.forbidden:
      return wrong(
        `who this is may not connect${said}`,
        "ask an admin: the key was revoked, or its holder was removed",
      );
    case closeCodes.badMessage:
      return wrong(`the server does not understand this program${said}`, "use the doctor of the server's own version");
    case closeCodes.tooMany:
      return wrong(
        `too many connections were opened, from here or by this person${said}`,
        "close some, or try again in a minute",
      );
    case closeCodes.unavailable:
    case closeCodes.overloaded:
      return wrong(
        `the server or its sign-in provider is busy or away${said}`,
        "try again in a minute; the page Connections says what is wrong",
      );
    case closeCodes.restart:
    case closeCodes.goingAway:
      return wrong(`the server is just being stopped${said}`, "try again when it is back");
    case closeCodes.internal:
      return wrong(`a fault of the server${said}`, "its log has it, under connection.failed");
    case closeCodes.lost:
    case closeCodes.noStatus:
    case closeCodes.protocolError:
      return wrong(
        `the connection was cut, or what came over it is not this protocol (${code})${said}`,
        "something in between closes or changes WebSockets: look at proxies, firewalls and their time limits",
      );
    default:
      return wrong(
        `the connection was closed with ${code}${said}`,
        "look for its end in the server's log, under connection.closed",
      );
  }
}

function refusedKey(reason: string, said: string): Finding {
  if (/expired/i.test(reason))
    return wrong(`the token has expired${said}`, "get a fresh one: sign in again, or make a new API key");
  return wrong(
    `the server does not accept the key${said}`,
    "pass a key of this server, or a token of an issuer that it knows",
  );
}
