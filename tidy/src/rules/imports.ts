/**
 * Imports go one way (ARCHITECTURE.md "Rooms"): `protocol ← client ← react ← dashboard`,
 * `protocol ← server ← control`, `client ← agent`, and `holdfast` composes.
 *
 * The table says for each room which others it may know; all else is refused. Below it stand the narrower
 * rules of the rooms inside a package, one sentence each. Tests of a package obey its package's line.
 */
import type { Finding } from "../finding.ts";
import type { Import } from "./importGraph.ts";

/** Room → the rooms that it may import, and why no more. */
const rooms: Readonly<Record<string, { readonly may: readonly string[] | "anything"; readonly because: string }>> = {
  protocol: { may: [], because: "protocol is what two programs swear to: it knows neither of them" },
  client: { may: ["protocol"], because: "client never knows the server: an old client meets a new server" },
  react: { may: ["client", "protocol"], because: "react is hooks over a session, for anyone's app" },
  dashboard: {
    may: ["react", "client", "protocol", "contract"],
    because: "the page knows the server only by the protocol and the contract",
  },
  server: { may: ["protocol"], because: "server is for anyone's app: it knows no control centre and no client" },
  contract: {
    may: ["protocol"],
    because: "the contract is shared by control, agent and dashboard: it knows none of them",
  },
  control: { may: ["server", "contract", "protocol"], because: "control is a plugin of the server" },
  agent: { may: ["client", "contract", "protocol"], because: "an agent is a client that knows the contract" },
  holdfast: {
    may: ["server", "control", "contract", "agent", "client", "protocol", "dashboard"],
    because: "holdfast composes the packages and is composed by none",
  },
  scripts: {
    may: ["holdfast", "protocol"],
    because: "the repository's scripts start and pack the product, they are no part of it",
  },
  e2e: { may: "anything", because: "a leaf" },
  simulation: { may: "anything", because: "a leaf" },
  bench: { may: "anything", because: "a leaf" },
  examples: {
    may: ["server", "client", "react", "protocol"],
    because: "an example shows the packages without the control centre",
  },
  tidy: { may: [], because: "tidy reads the repository as text" },
  config: { may: [], because: "a tool's configuration stands alone" },
};

interface Rule {
  /** The sentence that a breach is answered with. */
  readonly sentence: string;
  readonly from: RegExp;
  readonly to: RegExp;
  /** What `to` matches and may be imported all the same. */
  readonly except?: RegExp;
  /** Imports of types alone may pass. */
  readonly typesMay?: true;
}

/** One sentence per rule. */
const rules: readonly Rule[] = [
  {
    sentence: "The gateway asks the store through its port and never sees SQL.",
    from: /^packages\/server\/src\/gateway\//,
    to: /^packages\/server\/src\/store\//,
    except: /\/store\/port\.ts$/,
  },
  {
    sentence: "Streams know neither sockets nor users.",
    from: /^packages\/server\/src\/streams\//,
    to: /^packages\/server\/src\/(auth|gateway|http)\//,
  },
  {
    sentence: "Auth judges credentials and knows no connection.",
    from: /^packages\/server\/src\/auth\//,
    to: /^packages\/server\/src\/gateway\//,
  },
  {
    sentence: "The store knows neither HTTP nor sockets.",
    from: /^packages\/server\/src\/store\//,
    to: /^packages\/server\/src\/(http|gateway|auth)\//,
  },
  {
    sentence: "Observe is told by all and asks nobody.",
    from: /^packages\/server\/src\/observe\//,
    to: /^packages\/server\/src\/(http|gateway|auth|streams|store)\//,
  },
  {
    sentence: "No schema is loaded in a browser: the page and its packages take types of it only.",
    from: /^packages\/(client|react|dashboard)\/src\//,
    to: /^packages\/(protocol\/schema|control\/contract)\//,
    except: /\/contract\/names\.ts$/,
    typesMay: true,
  },
  {
    sentence: "What runs does not import tests.",
    from: /^(packages\/[^/]+\/(src|schema|contract)|scripts)\/(?!test\/)/,
    to: /(^|\/)test\/|\.test\.tsx?$/,
  },
  {
    sentence: "The client's core takes the platform through ports: it knows no shell.",
    from: /^packages\/client\/src\/core\//,
    to: /^packages\/client\/src\/(shell\/|.*Shell\.ts)/,
    typesMay: true,
  },
  {
    sentence: "The judge shares no code with what it judges.",
    from: /^simulation\/src\/judge\//,
    to: /^(?!simulation\/src\/judge\/)/,
  },
];

/** The room of a path: a package, or the part of one that is shared apart. */
export function roomOf(path: string): string {
  if (/^packages\/control\/contract\//.test(path)) return "contract";
  const [first, second] = path.split("/");
  if (first === "packages") return second ?? "config";
  return path.includes("/") ? (first ?? "config") : "config";
}

export function direction(imports: readonly Import[]): readonly Finding[] {
  return imports.flatMap((one) => {
    const [from, to] = [roomOf(one.from), roomOf(one.to)];
    const room = rooms[from];
    if (room === undefined)
      return [{ path: one.from, message: `"${from}" is no room: add it to the table in imports.ts` }];
    if (from !== to && room.may !== "anything" && !room.may.includes(to)) {
      return [breach(one, `${from} may not import ${to}: ${room.because}`)];
    }
    return rules
      .filter((rule) => rule.from.test(one.from) && rule.to.test(one.to) && rule.except?.test(one.to) !== true)
      .filter((rule) => !(rule.typesMay === true && one.isType))
      .map((rule) => breach(one, `imports ${one.to}: ${rule.sentence}`));
  });
}

/** A cycle has no first file to read. Each is named once, from its alphabetically first file; types count, and what is only started by its URL does not. */
export function cycles(imports: readonly Import[]): readonly Finding[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to, isUrl } of imports) {
    if (isUrl) continue;
    const targets = next.get(from) ?? new Set<string>();
    next.set(from, targets.add(to));
  }
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) {
      findings.push({ path, message: `a cycle of imports: ${[...trail.slice(at), path].join(" → ")}` });
      return;
    }
    if (done.has(path)) return;
    for (const target of next.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of [...next.keys()].sort()) visit(path, []);
  return findings;
}

function breach(one: Import, message: string): Finding {
  return { path: one.from, line: one.line, message };
}
