/**
 * The client as it is published: the property names that only its own modules know are one or two letters long.
 *
 * A page pays for each name that a bundler cannot shorten, and no bundler can shorten those. Which ones may be is
 * `names.ts`, judged here against everything that anybody else could read: a listed name that is reserved, or that
 * no type of the client declares, stops the build.
 */
import { shortened } from "./names.ts";
import { reservedNames, type Sources } from "./reserved.ts";
import { shorten, shortNames } from "./shorten.ts";
import { declaredNames, propertyName, walk } from "./syntax.ts";

/** Path → text of each module, and the names that could be listed and are not. */
export interface ShortClient {
  readonly modules: ReadonlyMap<string, string>;
  readonly unlisted: readonly string[];
}

export function shortenClient(sources: Sources): ShortClient {
  const { code, written } = sources;
  const reserved = reservedNames(sources);
  const declared = new Set(written.flatMap(({ tree }) => [...declaredNames(tree)]));
  judgeNames(shortened, declared, reserved);
  const taken = new Set(reserved.keys());
  for (const { tree } of code)
    walk(tree, (node) => {
      const property = propertyName(node);
      if (property !== undefined) taken.add(property.name);
    });
  const names = shortNames(shortened, taken);
  const modules = new Map(code.map((module) => [module.path, shorten(module, names)]));
  const unlisted = [...declared].filter((name) => !reserved.has(name) && !names.has(name));
  return { modules, unlisted };
}

/** Throws at the first name that may not be shortened, and says why. */
export function judgeNames(
  names: readonly string[],
  declared: ReadonlySet<string>,
  reserved: ReadonlyMap<string, string>,
): void {
  for (const name of names) {
    const why = reserved.get(name);
    const fault = why ?? (declared.has(name) ? undefined : "no type of the client declares it");
    if (fault !== undefined)
      throw new Error(`"${name}" may not be shortened (${fault}): take it out of scripts/packing/names.ts`);
  }
}
