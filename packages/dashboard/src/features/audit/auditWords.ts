/**
 * Entries of the audit in words: what somebody did, or tried.
 *
 * Pure. What it does not know (an app's own methods, a newer server's) is said by its method's name. Every text in an
 * entry is somebody else's, and is made visible before it stands in a sentence.
 */
import type { AuditEntry } from "@holdfast/protocol/schema";
import { visibleText } from "../../shared/format/visibleText.ts";

interface Words {
  /** After "tried to". */
  readonly wish: string;
  /** After the person's name. */
  readonly done: (entry: AuditEntry) => string;
}

const words: Readonly<Record<string, Words>> = {
  "user.invite": { wish: "invite somebody", done: (entry) => `invited ${name(entry)} as ${told(entry, "role")}` },
  "user.link": { wish: "make a sign-in link", done: (entry) => `made a new sign-in link for ${name(entry)}` },
  "user.setRole": {
    wish: "change a role",
    done: (entry) => `made ${name(entry)} ${told(entry, "role")}, before: ${told(entry, "before")}`,
  },
  "user.remove": { wish: "remove somebody", done: (entry) => `removed ${name(entry)}` },
  "session.revoke": {
    wish: "end a session",
    done: (entry) => (entry.about["user"] === entry.by.id ? "ended a session of their own" : "ended a session"),
  },
  "key.create": {
    wish: "make an API key",
    done: (entry) => `made the API key ${name(entry)}, role ${told(entry, "role")}`,
  },
  "key.revoke": { wish: "end an API key", done: (entry) => `ended the API key ${name(entry)}` },
  "assistant.create": { wish: "add an assistant", done: (entry) => `added the assistant ${name(entry)}` },
  "assistant.change": { wish: "change an assistant", done: (entry) => `changed ${changed(entry)} of an assistant` },
  "assistant.remove": { wish: "remove an assistant", done: () => "removed an assistant" },
  "assistant.host": { wish: "host assistants", done: () => "took over the assistants: new keys are for this process" },
  "assistant.lead": { wish: "run the assistants", done: () => "runs the assistants now: the server before is gone" },
  "agent.remove": { wish: "remove an agent", done: () => "removed an agent" },
  "command.interrupt": { wish: "stop a command", done: () => "stopped a command of somebody else" },
  "command.cancel": { wish: "take back a command", done: () => "took back a command of somebody else" },
  "command.retry": { wish: "repeat a command", done: () => "sent a command of somebody else once more" },
  "thread.archive": {
    wish: "archive a thread",
    done: ({ about }) => `${about["archived"] === false ? "brought back" : "archived"} a thread of somebody else`,
  },
  "weather.make": {
    wish: "make bad weather for everybody",
    done: (entry) => `made bad weather for everybody: ${told(entry, "fault")}`,
  },
  "log.setLevel": {
    wish: "change the log's level",
    done: (entry) =>
      `set the log ${entry.about["room"] === "*" ? "" : `of ${told(entry, "room")} `}to ${told(entry, "level")}`,
  },
};

/** What the filter offers: how methods begin, and what that is. */
export const kinds: readonly (readonly [string, string])[] = [
  ["", "Everything"],
  ["user.", "People"],
  ["session.", "Sessions"],
  ["key.", "API keys"],
  ["key.", "API keys"],
  ["assistant.", "Assistants"],
  ["agent.", "Agents"],
  ["command.", "Commands"],
  ["thread.", "Threads"],
  ["log.", "The log"],
  ["weather.", "Weather"],
];

/** What was done, to be read after the person's name. */
export function deedText(entry: AuditEntry): string {
  const known = Object.hasOwn(words, entry.action) ? words[entry.action] : undefined;
  const method = visibleText(entry.action);
  if (entry.refused !== undefined) return `tried to ${known?.wish ?? `call ${method}`}: ${visibleText(entry.refused)}`;
  return known?.done(entry) ?? `called ${method}`;
}

/** All of an entry, name and value, in the order in which it is read. */
export function factsOf(entry: AuditEntry): readonly (readonly [string, string])[] {
  const { by, object, about, given, from } = entry;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["When", new Date(entry.at).toLocaleString()],
    ["Who", `${by.name} (${by.id}), ${by.role}`],
    ["Method", entry.action],
    ["On", object && `${object.type} ${object.id}`],
    ...Object.keys(about).map((field) => [capital(field), told(entry, field)] as const),
    ["Also given", given?.join(", ")],
    ["Refused", entry.refused],
    ["Address", from?.address],
    ["Connection", from?.connection],
  ];
  return rows.flatMap(([label, value]) => (value === undefined ? [] : [[visibleText(label), visibleText(value)]]));
}

function changed({ about, given = [] }: AuditEntry): string {
  const fields = [...Object.keys(about).filter((field) => about[field] !== undefined), ...given];
  return fields.length === 0 ? "nothing" : visibleText(fields.join(", "));
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Of whom or what, by the name that was told, else by its id. */
function name(entry: AuditEntry): string {
  return entry.about["name"] === undefined ? visibleText(entry.object?.id ?? "somebody") : told(entry, "name");
}

function told({ about }: AuditEntry, field: string): string {
  const value = about[field];
  return visibleText(typeof value === "string" ? value : (JSON.stringify(value) ?? "?"));
}
