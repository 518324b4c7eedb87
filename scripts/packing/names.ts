/**
 * Which property names the published client shortens, and what must be known of it that no program can find out.
 *
 * Whoever adds an internal name may list it here, and need not: what is not listed is published as it is written.
 * Whoever lists too much is stopped by the build, which names the reason.
 */

/** What the names at such a place are: none of ours, these, or the keys of all object literals in a module. */
export type Reflection = "data" | readonly string[] | { readonly keysOf: string };

/** The most used first: they get the shortest. */
export const shortened: readonly string[] = [
  "deadlineMs",
  "out",
  "room",
  "subscribers",
  "stale",
  "atMs",
  "failures",
  "asked",
  "repair",
  "stopped",
  "tell",
  "parts",
  "refusals",
  "serverOffsetMs",
  "awaiting",
  "floorMs",
  "answered",
  "isolateThrough",
  "spreadMs",
  "tokenFailures",
  "isGraced",
  "rejectedToken",
  "tokenFresh",
  "retryAtMs",
  "whispers",
  "faults",
  "recentMs",
  "reportedMs",
  "silences",
  "skipTo",
  "usesCookie",
  "say",
  "sentMs",
  "subs",
  "tokenRequest",
  "underWay",
  "unopened",
  "unopenedWhy",
  "welcomedMs",
  "core",
  "gone",
  "keeper",
  "lag",
  "heardMs",
  "hintedMs",
  "internals",
  "isClockKnown",
  "lostMs",
  "manualMs",
  "stable",
  "startedMs",
  "toldProblems",
  "note",
  "deliver",
  "give",
  "intervalMs",
  "old",
  "problem",
  "rested",
  "single",
  "assertOpen",
  "added",
  "dueMs",
  "isAgent",
  "isBusy",
  "isLent",
  "maySend",
  "maySpeak",
  "orphaned",
  "unsentMs",
  "sentThrough",
  "keptBytes",
  "seat",
  "underWayBytes",
  "joined",
  "resentFrom",
  "timer",
  "waiters",
  "acquire",
  "isReleased",
  "owned",
  "probed",
  "isWithdrawn",
  "asksRecord",
  "decided",
  "drained",
  "await",
  "described",
  "hears",
  "isElsewhere",
  "makeUuid",
  "place",
  "begin",
  "instead",
  "isSaving",
  "lanes",
  "mayName",
  "nextKey",
  "noteShown",
  "onNamed",
  "orders",
  "steals",
];

/** Fields of data that is not ours and has no schema here. */
export const foreign: Readonly<Record<string, string>> = {
  exp: "a claim of a JSON Web Token",
};

/** Module → code that reads names by their text → what those names are. */
export const reflections: Readonly<Record<string, Readonly<Record<string, Reflection>>>> = {
  "client/src/core/connection.js": {
    "connectionTable[event.kind]": {
      keysOf: "client/src/core/connectionTable.js",
    },
    // By the place of a column.
    "connectionTable[event.kind][tableStates.indexOf(state.kind)]": "data",
  },
  "client/src/core/displayLag.js": {
    "sorted[Math.ceil(sorted.length * share) - 1]": "data",
  },
  // Compares two objects of one shape, whatever their names are.
  "client/src/core/keepIfEqual.js": {
    "before?.[key]": "data",
    "after[key]": "data",
  },
  "client/src/core/reader.js": {
    "Object.entries(fields)": { keysOf: "client/src/core/reader.js" },
    "Object.entries(shapes)": { keysOf: "client/src/core/reader.js" },
    "value[name]": { keysOf: "client/src/core/reader.js" },
  },
  // Parts of a snapshot, by the app's own names.
  "client/src/core/streamReading.js": {
    "Object.entries(message.data)": "data",
    "parts.data[key]": "data",
  },
  "client/src/publisher/producer.js": { "producer.kept[index]": "data" },
  "client/src/shell/engine.js": {
    "socket[effect.kind]": { keysOf: "client/src/shell/socket.js" },
  },
  // Compares what two tabs want, whatever its names are.
  "client/src/tabs/host.js": {
    "Object.keys(one)": "data",
    "one[key]": "data",
    "other[key]": "data",
  },
  "client/src/tabs/tabSession.js": {
    "opposites[told]": ["online", "offline", "visible", "hidden"],
  },
  // By quoted names of public statistics.
  "client/src/tabs/totals.js": {
    "sum[key]": "data",
    "before[key]": "data",
    "now[key]": "data",
  },
};
