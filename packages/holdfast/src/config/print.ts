/**
 * The effective configuration as `--print-config` shows it: a JSON tree, each leaf with its value and source.
 */
import { unreachable } from "@holdfast/protocol";
import { type Config, type Field, fields } from "./fields.ts";
import type { Source } from "./resolve.ts";
import { isTree, toTree } from "./tree.ts";

export const maskedValue = "[masked]";

/** The tree as text, with line end. `table` is the real one except in tests. */
export function printConfig(
  config: Config,
  sources: ReadonlyMap<string, Source>,
  table: readonly Field[] = fields,
): string {
  const leaves = table.map((one) => {
    const source = sources.get(one.path) ?? ({ layer: "default" } as const);
    const plain = at(config, one.path);
    const value = one.secret && plain !== null ? maskedValue : plain;
    return [
      one.path,
      { value, ...(one.unit === undefined ? {} : { unit: one.unit }), source: sourceText(source), about: one.sentence },
    ] as const;
  });
  return `${JSON.stringify(toTree(leaves), null, 2)}\n`;
}

function at(config: Config, path: string): unknown {
  let value: unknown = config;
  for (const name of path.split(".")) value = isTree(value) ? value[name] : undefined;
  return value;
}

function sourceText(source: Source): string {
  switch (source.layer) {
    case "default":
      return "default";
    case "file":
      return `file ${source.path}`;
    case "environment":
      return `environment ${source.name}`;
    case "flag":
      return `flag ${source.name}`;
    default:
      return unreachable(source);
  }
}
