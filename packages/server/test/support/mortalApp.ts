/** An app with methods that end the thread they run in, reader or writer, as running out of memory would. */
import { z } from "zod";
import type { Plugin } from "../../src/plugin.ts";

export const plugin: Plugin = {
  name: "mortal",
  migrations: {},
  methods: {
    die: {
      params: z.object({}),
      role: "viewer",
      kind: "read",
      handle: async () => process.exit(3),
    },
    dieWriting: {
      params: z.object({}),
      role: "viewer",
      kind: "effect",
      handle: async () => process.exit(4),
    },
  },
  streams: [],
  tasks: {},
};
