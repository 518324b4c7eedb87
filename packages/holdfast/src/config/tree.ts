/**
 * Nested plain objects by dotted paths: how a flat table of fields becomes the tree that people read and write.
 */
export type Tree = { readonly [name: string]: unknown };

/** Builds the tree of flat `path → value`. */
export function toTree(flat: Iterable<readonly [path: string, value: unknown]>): Tree {
  const tree: Record<string, unknown> = {};
  for (const [path, value] of flat) {
    const names = path.split(".");
    const last = names.pop() ?? path;
    let at = tree;
    for (const name of names) {
      const below = (at[name] as Record<string, unknown> | undefined) ?? {};
      at[name] = below;
      at = below;
    }
    at[last] = value;
  }
  return tree;
}

/** Walks a parsed document down to the known paths; whatever is not on the way to one is `unknown`. */
export function flatten(
  document: Tree,
  known: ReadonlySet<string>,
): {
  readonly flat: ReadonlyMap<string, unknown>;
  readonly unknown: readonly string[];
  readonly notTrees: readonly string[];
} {
  const flat = new Map<string, unknown>();
  const unknown: string[] = [];
  const notTrees: string[] = [];
  const walk = (tree: Tree, prefix: string): void => {
    for (const [name, value] of Object.entries(tree)) {
      const path = prefix + name;
      if (known.has(path)) flat.set(path, value);
      else if (![...known].some((one) => one.startsWith(`${path}.`))) unknown.push(path);
      else if (isTree(value)) walk(value, `${path}.`);
      else notTrees.push(path);
    }
  };
  walk(document, "");
  return { flat, unknown, notTrees };
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
