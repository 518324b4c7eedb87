/** The promises that the program holds: one a request, one a published event. The core knows only their keys. */
import { ProtocolError } from "@holdfast/protocol";

interface Settlers {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface Promises {
  make<Value>(key: string): Promise<Value>;
  resolve(key: string, value: unknown): void;
  reject(key: string, error: unknown): void;
}

export function makePromises(): Promises {
  const waiting = new Map<string, Settlers>();
  const take = (key: string): Settlers | undefined => {
    const settlers = waiting.get(key);
    waiting.delete(key);
    return settlers;
  };
  return {
    make: <Value>(key: string) =>
      new Promise<Value>((resolve, reject) => {
        waiting.set(key, { resolve: resolve as (value: never) => void, reject });
      }),
    resolve: (key, value) => take(key)?.resolve(value as never),
    reject: (key, error) => take(key)?.reject(error),
  };
}

/** JSON of what a program passes; what JSON cannot say (a cycle, a BigInt) is `invalid_params`. */
export function toJson(value: unknown, what: string): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (cause) {
    throw new ProtocolError("invalid_params", `${what}: not JSON: ${String(cause)}`, { cause });
  }
}
