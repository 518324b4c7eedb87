/** The methods by which admins say which assistants there are, and by which the server's own process reads it. */
import { z } from "zod";
import { assistant, id } from "./nouns.ts";

const name = z.string().trim().min(1).max(100);
const endpoint = z
  .url({ protocol: /^https?$/, error: "expected an http or https address, such as https://api.example.com/v1" })
  .max(500);
const model = z.string().trim().min(1).max(200);
const systemPrompt = z.string().max(20_000);
const key = z.string().trim().min(1).max(2_000);

export const assistantMethods = {
  "assistant.list": {
    params: z.object({}),
    result: z.object({ items: z.array(assistant), canKeepKeys: z.boolean() }),
    role: "admin",
    kind: "read",
    doc: "The configured assistants. `canKeepKeys`: an assistants' process has told for whom keys are to be encrypted.",
  },
  "assistant.create": {
    params: z.object({ name, endpoint, model, systemPrompt: systemPrompt.default(""), key: key.optional() }),
    result: z.object({ assistant }),
    role: "admin",
    kind: "effect",
    audited: { object: { type: "assistant", id: "assistant" }, told: ["name", "model"] },
    doc: "Makes an assistant of a model behind an OpenAI-compatible endpoint. The key is encrypted before it is stored, and told to nobody.",
  },
  "assistant.change": {
    params: z.object({
      assistant: id,
      name: name.optional(),
      endpoint: endpoint.optional(),
      model: model.optional(),
      systemPrompt: systemPrompt.optional(),
      /** null: none from now on. */
      key: key.nullable().optional(),
    }),
    result: z.object({ assistant }),
    role: "admin",
    kind: "effect",
    audited: { object: { type: "assistant", id: "assistant" }, told: ["name", "model"] },
    doc: "Changes what is named, for the next answer on. An endpoint of another origin needs its key anew: the old one is dropped.",
  },
  "assistant.remove": {
    params: z.object({ assistant: id }),
    result: z.object({}),
    role: "admin",
    kind: "effect",
    audited: { object: { type: "assistant", id: "assistant" } },
    doc: "Ends an assistant; its threads stay.",
  },
  "assistant.host": {
    params: z.object({ publicKey: z.string().max(100) }),
    result: z.object({}),
    role: "admin",
    kind: "effect",
    audited: { object: { type: "publicKey", id: "publicKey" } },
    doc: "Told by the server's own process: for whom models' keys are to be encrypted from now on.",
  },
  "assistant.lead": {
    params: z.object({
      holder: id,
      takes: z.object({ holder: id, beat: z.int().min(0) }).optional(),
      leaves: z.boolean().default(false),
    }),
    result: z.object({ holder: id.nullable(), beat: z.int().min(0) }),
    role: "admin",
    kind: "effect",
    audited: { object: { type: "server", id: "holder" } },
    doc: "For the servers' own processes: which of several on one database runs the assistants. Holds on, takes over from one that stands still, or leaves.",
  },
  "assistant.hosted": {
    params: z.object({}),
    result: z.object({ items: z.array(assistant.extend({ sealedKey: z.string().nullable() })) }),
    role: "admin",
    kind: "read",
    doc: "For the server's own process: the assistants with their keys, encrypted for the assistants' process.",
  },
} as const;
