/**
 * What an admin does to the running server, and reads of what was done, as a plugin beside the app.
 *
 * `log.setLevel`, `audit.search` of `auditSearch.ts`, and in development mode `weather.make` of `faults/`. A change is told to all nodes in the transaction that writes it into the audit, and each obeys by itself. Invariant:
 * what is changed here ends by itself, within an hour. A node that starts meanwhile hears of it, too.
 */
import { z } from "zod";
import type { Fault } from "../faults/fault.ts";
import { weatherMethod } from "../faults/weatherMethod.ts";
import type { Method, Plugin, Principal, Transaction } from "../plugin.ts";
import { auditFamily } from "./audit.ts";
import { auditSearch } from "./auditSearch.ts";
import { everyRoom, logLevels } from "./logLevels.ts";

const minuteMs = 60_000;
const minutesMax = 60;
const minutesByDefault = 15;
const roomCharsMax = 40;

const params = z.strictObject({
  /** The first word of events: `store`; or all that have none of their own. */
  room: z
    .string()
    .max(roomCharsMax)
    .regex(/^([A-Za-z]+|\*)$/, "give the first word of events in docs/logs.md, such as store, or *")
    .default(everyRoom),
  level: z.enum(logLevels),
  minutes: z.int().min(1).max(minutesMax).default(minutesByDefault),
});
const result = z.object({ room: z.string(), level: z.enum(logLevels), until: z.int() });

const setLevel: Method = {
  doc: "Writes more or less of one room's log, or of all, on every node, for 1 to 60 minutes.",
  role: "admin",
  kind: "effect",
  audited: { told: ["room", "level", "until"] },
  params,
  result,
  async handle(tx: Transaction, { room, level, minutes }: z.output<typeof params>, caller: Principal) {
    const lent = { room, level, until: tx.now + minutes * minuteMs };
    tx.tellNodes({ kind: "logLevel", ...lent, by: caller.id });
    return lent;
  },
};

export const plugin: Plugin = {
  name: "operations",
  migrations: {},
  methods: { "log.setLevel": setLevel, "audit.search": auditSearch, "weather.make": weatherMethod() },
  streams: [auditFamily],
  tasks: {},
};

/** What a server answers: whether its log has levels, and which faults it makes. */
export function operationsMethods(can: {
  readonly levels: boolean;
  readonly faults: readonly Fault[];
}): Readonly<Record<string, Method>> {
  return {
    "audit.search": auditSearch,
    ...(can.levels && { "log.setLevel": setLevel }),
    ...(can.faults.length > 0 && { "weather.make": weatherMethod(can.faults) }),
  };
}
