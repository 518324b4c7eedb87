/**
 * The notes app made dangerous: methods that answer as much as is asked, fail in every way, and streams
 * whose snapshots are large. For tests with hostile peers only.
 */
import { setImmediate as turn } from "node:timers/promises";
import { ProtocolError } from "@holdfast/protocol";
import { z } from "zod";
import type { Plugin, Transaction } from "../../../src/plugin.ts";
import { plugin as notes } from "../../support/notesApp.ts";

const snapshotItemBytes = 1_024;

export const plugin: Plugin = {
  ...notes,
  name: "hostile",
  methods: {
    ...notes.methods,
    "answer.large": {
      params: z.object({ bytes: z.int().min(0).max(4_000_000) }),
      role: "viewer",
      kind: "read",
      handle: async (_tx: Transaction, { bytes }: { bytes: number }) => ({ text: "x".repeat(bytes) }),
    },
    "fail.now": {
      params: z.looseObject({}),
      role: "viewer",
      kind: "effect",
      handle: () => {
        throw new TypeError("thrown before a promise was made");
      },
    },
    "fail.later": {
      params: z.looseObject({}),
      role: "viewer",
      kind: "effect",
      handle: async () => {
        await turn();
        throw "a text, thrown";
      },
    },
    "fail.mean": {
      params: z.looseObject({}),
      role: "viewer",
      kind: "effect",
      handle: async () => {
        throw new ProtocolError("not_found", "not there");
      },
    },
    "answer.strange": {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async () => ({ large: 12n, list: new Map([["a", 1]]) }),
    },
    "echo.effect": {
      params: z.looseObject({}),
      role: "viewer",
      kind: "effect",
      handle: async (_tx: Transaction, params: Record<string, unknown>) => ({ params }),
    },
  },
  streams: [
    ...notes.streams,
    {
      name: "large/",
      always: true,
      inbox: false,
      mayRead: () => true,
      snapshot: async () => ({
        items: Array.from({ length: 500 }, (_, index) => `${index}`.padEnd(snapshotItemBytes)),
      }),
    },
  ],
};
