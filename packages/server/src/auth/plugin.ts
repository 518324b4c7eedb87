/** Sign-in as a plugin of its own: its tables and tasks go into the store with the app's. */
import { noticesFamily } from "../nodes/family.ts";
import type { Plugin } from "../plugin.ts";
import { accountTasks } from "./accountTasks.ts";
import { authMigrations } from "./schema.ts";
import { signingKeyWork } from "./signingKeyTasks.ts";
import { authTasks } from "./tasks.ts";

export const plugin: Plugin = {
  name: "auth",
  migrations: authMigrations,
  methods: {},
  // AU-9: what its tasks tell all nodes is kept, and goes, like any stream's events.
  streams: [noticesFamily],
  tasks: { ...authTasks, ...accountTasks, ...signingKeyWork },
};
