/** Who publishes what where in these proofs, and in which app: one producer to one stream, and marks in another. */
import type { Principal } from "@holdfast/server/plugin";

export const workspace = "default";
export const app = new URL("../../../packages/server/test/store/contract/contractApp.ts", import.meta.url);
export const logStream = "log/durable";
/** Gets an event for each mark that was made. */
export const markStream = "items";
export const markMethod = "item.put";
export const producer = "01900000-0000-7000-8000-000000000001";
export const caller: Principal = {
  kind: "person",
  id: "writer",
  name: "Writer",
  role: "admin",
  workspace,
  temporary: false,
};
