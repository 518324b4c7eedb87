/**
 * Errors on their way between threads: a structured clone keeps neither an error's class nor its codes,
 * and a log line without them cannot say the real cause (F03).
 */

export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  /** SQLite's extended result code. */
  readonly errcode: number | undefined;
  readonly cause: PortableError | undefined;
}

const causesMax = 5;

export function toPortable(error: unknown, depth = 0): PortableError {
  const source =
    error instanceof Error
      ? error
      : new Error(typeof error === "string" ? error : (JSON.stringify(error) ?? String(error)));
  const { code, errcode } = source as { code?: unknown; errcode?: unknown };
  return {
    name: source.name,
    message: source.message,
    stack: source.stack,
    code: typeof code === "string" ? code : undefined,
    errcode: typeof errcode === "number" ? errcode : undefined,
    cause: source.cause === undefined || depth >= causesMax ? undefined : toPortable(source.cause, depth + 1),
  };
}

/** A real Error again, with its name, codes, stack and causes. */
export function fromPortable(portable: PortableError): Error {
  const error = new Error(
    portable.message,
    portable.cause === undefined ? undefined : { cause: fromPortable(portable.cause) },
  );
  const { name, stack, code, errcode } = portable;
  return Object.assign(error, {
    name,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(errcode === undefined ? {} : { errcode }),
  });
}
