/** The methods as an OpenAPI 3.1 document, made from their declarations (RQ-6). Pure. */
import { errorCodes, errorRules } from "@holdfast/protocol";
import { z } from "zod";
import type { AnyMethod } from "../methods/nodeMethod.ts";

export function openApi(methods: Readonly<Record<string, AnyMethod>>, version: string): Record<string, unknown> {
  return {
    openapi: "3.1.0",
    info: { title: "Holdfast", version },
    paths: Object.fromEntries(
      Object.entries(methods).map(([name, method]) => [`/api/${name}`, { post: operation(name, method) }]),
    ),
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Problem: problem },
    },
    security: [{ bearer: [] }],
  };
}

function operation(name: string, method: AnyMethod): Record<string, unknown> {
  const key = { name: "Idempotency-Key", in: "header", schema: { type: "string", format: "uuid" } };
  return {
    operationId: name,
    ...(method.doc === undefined ? {} : { summary: method.doc }),
    description: `Needs the role ${method.role}.`,
    ...(method.kind === "effect" ? { parameters: [key] } : {}),
    requestBody: {
      required: true,
      content: json(z.toJSONSchema(method.params, { io: "input", unrepresentable: "any" })),
    },
    responses: {
      [isAccepting(method) ? 202 : 200]: {
        description: isAccepting(method) ? "Accepted; the outcome is told by events." : "The result.",
        content: json(method.result === undefined ? {} : z.toJSONSchema(method.result, { unrepresentable: "any" })),
      },
      default: {
        description: "Why not.",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

const isAccepting = (method: AnyMethod): boolean => "accepts" in method && method.accepts === true;

const json = (schema: unknown): Record<string, unknown> => ({ "application/json": { schema } });

const problem = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "ref"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: {
      type: "string",
      enum: errorCodes,
      description: errorCodes.map((code) => `${code}: ${errorRules[code].advice}`).join("\n"),
    },
    ref: { type: "string" },
    retryAfter: { type: "integer", description: "ms" },
  },
};
