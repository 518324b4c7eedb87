/** Sign-in as a plugin of its own: its tables and tasks go into the store with the app's. */
import type { Plugin } from "../plugin.ts";
import { accountTasks } from "./accountTasks.ts";
import { authMigrations } from "./schema.ts";
import { authTasks } from "./tasks.ts";

export const plugin: Plugin = {
  name: "auth",
  migrations: authMigrations,
  methods: {},
  streams: [],
  tasks: { ...authTasks, ...accountTasks },
};
