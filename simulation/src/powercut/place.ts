/** Who publishes what where in these proofs: one producer, one stream. */
import type { Principal } from "@holdfast/server/plugin";

export const workspace = "default";
export const logStream = "log/durable";
export const producer = "01900000-0000-7000-8000-000000000001";
export const caller: Principal = {
  kind: "person",
  id: "writer",
  name: "Writer",
  role: "admin",
  workspace,
  temporary: false,
};
