/**
 * What can be seen from outside: the property names in all types that a module's exports lead to.
 *
 * Works on emitted declarations, where no type is left to be inferred. It errs to one side: whatever an exported
 * type mentions, by a name that its module knows, counts as seen.
 */
import { posix } from "node:path";
import { declaredNames, isNode, type Module, nameOf, type SyntaxNode, walk } from "./syntax.ts";

/** Where to begin: a declaration file, and one of its names or all. */
export interface Root {
  readonly path: string;
  readonly name?: string;
}

interface Link {
  readonly path: string;
  /** Undefined: all of that module. */
  readonly name: string | undefined;
}

interface Declarations {
  readonly declared: ReadonlyMap<string, readonly SyntaxNode[]>;
  /** Imported names, and those that are passed on under a name. */
  readonly links: ReadonlyMap<string, Link>;
  /** Modules of which everything is passed on. */
  readonly passedOn: readonly string[];
}

/** @param modules all declaration files; what is imported from elsewhere is not followed */
export function namesSeenFrom(roots: readonly Root[], modules: readonly Module[]): ReadonlySet<string> {
  const all = new Map(modules.map((module) => [module.path, readDeclarations(module)]));
  const names = new Set<string>();
  const seen = new Set<string>();

  function see(path: string, name: string): void {
    const key = `${path} ${name}`;
    const module = all.get(path);
    if (module === undefined || seen.has(key)) return;
    seen.add(key);
    for (const statement of module.declared.get(name) ?? []) {
      for (const declared of declaredNames(statement)) names.add(declared);
      walk(statement, (node) => {
        const mentioned = nameOf(node);
        if (mentioned !== undefined) see(path, mentioned);
      });
    }
    const link = module.links.get(name);
    if (link !== undefined) follow(link);
    for (const passed of module.passedOn) see(passed, name);
  }

  function follow({ path, name }: Link): void {
    if (name !== undefined) {
      see(path, name);
      return;
    }
    const module = all.get(path);
    for (const one of [...(module?.declared.keys() ?? []), ...(module?.links.keys() ?? [])]) see(path, one);
    for (const passed of module?.passedOn ?? []) follow({ path: passed, name: undefined });
  }

  for (const { path, name } of roots) {
    if (!all.has(path)) throw new Error(`${path} was not emitted: name a module that exists`);
    follow({ path, name });
  }
  return names;
}

function readDeclarations({ path, tree }: Module): Declarations {
  const declared = new Map<string, SyntaxNode[]>();
  const links = new Map<string, Link>();
  const passedOn: string[] = [];
  for (const statement of tree["body"] as readonly SyntaxNode[]) {
    const from = sourceOf(path, statement);
    if (statement.type === "ExportAllDeclaration" && from !== undefined) {
      const alias = nameOf(statement["exported"]);
      if (alias === undefined) passedOn.push(from);
      else links.set(alias, { path: from, name: undefined });
    }
    for (const specifier of (statement["specifiers"] ?? []) as readonly SyntaxNode[])
      addSpecifier(links, specifier, from, path);
    const declaration = isNode(statement["declaration"]) ? statement["declaration"] : statement;
    for (const named of [declaration, ...((declaration["declarations"] ?? []) as readonly SyntaxNode[])]) {
      const name = nameOf(named["id"]);
      if (name !== undefined) declared.set(name, [...(declared.get(name) ?? []), named]);
    }
  }
  return { declared, links, passedOn };
}

function addSpecifier(links: Map<string, Link>, specifier: SyntaxNode, from: string | undefined, path: string): void {
  const { local, imported, exported } = specifier;
  const known = nameOf(exported ?? local);
  const there = nameOf(exported === undefined ? imported : local);
  // `export { name }` of what is declared or imported here is that very name.
  if (known !== undefined && (from !== undefined || known !== there))
    links.set(known, { path: from ?? path, name: there });
}

/** The declaration file that a statement imports from, where it is one of ours. */
function sourceOf(path: string, statement: SyntaxNode): string | undefined {
  const { source } = statement;
  const specifier = isNode(source) ? String(source["value"]) : undefined;
  if (specifier === undefined) return undefined;
  if (!specifier.startsWith(".")) return specifier;
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".d.ts");
}
