/** Makes of a TypeScript module and all that it imports one script for a browser. */
import { rolldown } from "rolldown";

/** @param source the module's path */
export async function bundle(source: string): Promise<string> {
  const built = await rolldown({ input: source, logLevel: "silent" });
  try {
    const { output } = await built.generate({ format: "esm", codeSplitting: false });
    return output[0].code;
  } finally {
    await built.close();
  }
}
