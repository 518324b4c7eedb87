/** The stream of notices as the store knows it: no client reads it, and its events go like records. */
import type { StreamFamily } from "../plugin.ts";
import { noticesStream } from "./notice.ts";

/** Kept as long as records are: whom a node that was away for longer believes in, it asks the store anew. */
export const noticesFamily: StreamFamily = {
  name: noticesStream,
  always: true,
  inbox: false,
  mayRead: () => false,
  lifetime: "records",
};
