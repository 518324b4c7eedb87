/** What the methods about people share: their shape, typed, and the ids and names that they take. */
import { limits } from "@holdfast/protocol";
import { z } from "zod";
import type { Method, Principal, Transaction } from "../../plugin.ts";
import type { AuthTables } from "../schema.ts";

export type PeopleTransaction = Transaction<AuthTables>;

interface Definition<Params extends z.ZodType, Result extends z.ZodType>
  extends Pick<Method, "role" | "kind" | "secret" | "audited"> {
  readonly doc: string;
  readonly params: Params;
  readonly result: Result;
  readonly handle: (tx: PeopleTransaction, params: z.output<Params>, caller: Principal) => Promise<z.output<Result>>;
  readonly tell?: (
    log: Parameters<NonNullable<Method["tell"]>>[0],
    done: { readonly by: string; readonly request: string; readonly result: z.output<Result> },
  ) => void;
}

/** The same, as the server takes it. */
export function method<Params extends z.ZodType, Result extends z.ZodType>(
  definition: Definition<Params, Result>,
): Method {
  return definition;
}

/** Of a person or a session, as this server gives them. */
export const id = z
  .string()
  .max(limits.nameLengthMax)
  .regex(/^[\w-]+$/, "an id has letters, digits, _ and - only");

/** One line that looks like what it is: no control, no direction mark, nothing invisible. */
export const plainName = z
  .string()
  .trim()
  .min(1)
  .max(limits.nameLengthMax)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, "a name is one line of visible characters");
