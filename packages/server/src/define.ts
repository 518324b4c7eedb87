/**
 * Declares an app so that its handlers are typed without casts, and its page knows the types of its methods.
 *
 * `definePlugin<Tables>()({ … })` checks an app's declaration against the tables that it has, fills in what most
 * apps leave alone, and gives the `Plugin` that the server takes. `MethodsOf<typeof plugin>` is the map that
 * `createSession` and `hooksFor` take on the page, as a type only. Nothing here runs after the module is loaded.
 */
import type { Migration } from "kysely/migration";
import type { z } from "zod";
import type {
  Method,
  Plugin,
  Principal,
  PublishRequest,
  PublishVerdicts,
  ReadTransaction,
  StreamFamily,
  Transaction,
} from "./plugin.ts";

/** What a handler throws to refuse. */
export { ProtocolError } from "@holdfast/protocol";
/** The type of a column that the database fills in. */
export type { Generated } from "kysely";

/** What an app declares. `Params` and `Results` are inferred from its methods. */
export interface PluginDefinition<Tables, Params extends Schemas, Results>
  extends Pick<Plugin, "name" | "agents" | "start"> {
  /** Each runs once per store, in the order of their names. A text is one statement of SQL. */
  readonly migrations?: Readonly<Record<string, string | readonly string[] | Migration>>;
  readonly methods?: MethodDefinitions<Tables, Params, Results>;
  readonly streams?: readonly StreamDefinition<Tables>[];
  readonly tasks?: Plugin["tasks"];
}

type Schemas = Record<string, z.ZodType>;

/** A stream, or with a name that ends in `/` a family of them. */
export interface StreamDefinition<Tables>
  extends Omit<StreamFamily, "always" | "inbox" | "mayRead" | "snapshot" | "publish" | "isOpen"> {
  /** Exists before its first event. By default a whole name does, a family does not. */
  readonly always?: boolean;
  /** False by default. */
  readonly inbox?: boolean;
  /** By default everybody who is signed in. */
  readonly mayRead?: StreamFamily["mayRead"];
  /** The state exactly as all events so far have made it (ST-9). Without it `"latest"` begins with the next event. */
  readonly snapshot?: (tx: ReadTransaction<Tables>, stream: string) => Promise<Record<string, unknown>>;
  readonly publish?: (tx: Transaction<Tables>, request: PublishRequest) => Promise<PublishVerdicts>;
  readonly isOpen?: (tx: ReadTransaction<Tables>, stream: string) => Promise<boolean>;
}

/** The handler's params come from `params`, the result from what the handler returns. */
type MethodDefinitions<Tables, Params extends Schemas, Results> = {
  readonly [Name in keyof Params]: MethodDefinition<Tables, Params[Name]>;
} & { readonly [Name in keyof Results]: { readonly handle: Handler<Tables, never, Results[Name]> } };

export interface MethodDefinition<Tables, Params extends z.ZodType>
  extends Pick<Method, "result" | "doc" | "agents" | "secret" | "audited"> {
  /** Checked before the handler runs. */
  readonly params: Params;
  /** What it changes, what it appends and its answer become durable together or not at all (RQ-2). */
  readonly handle: Handler<Tables, z.output<Params>, unknown>;
  /** `effect` by default: happens at most once, however often it is sent. A `read` changes nothing and is run again. */
  readonly kind?: Method["kind"];
  /** The least role that may call it; by default `viewer` for a `read`, `operator` for an `effect`. */
  readonly role?: Method["role"];
}

type Handler<Tables, Params, Result> = (tx: Transaction<Tables>, params: Params, caller: Principal) => Promise<Result>;

/** A plugin that remembers, as a type, what its methods take and give. */
export interface TypedPlugin<Methods> extends Plugin {
  /** Never there at run time: see {@link MethodsOf}. */
  readonly methodTypes?: Methods;
}

/** The methods of an app, for `createSession<…>` and `hooksFor<…>` on its page. */
export type MethodsOf<Typed extends TypedPlugin<unknown>> = NonNullable<Typed["methodTypes"]>;

/** What a page sends, and what it hears: a handler without a result answers null. */
type MethodTypes<Params extends Schemas, Results> = {
  [Name in keyof Params & keyof Results & string]: {
    params: z.input<Params[Name]>;
    result: Results[Name] extends void ? null : Results[Name];
  };
};

/** Declares an app over its tables. Called twice, so that the tables are named and all else is inferred. */
export function definePlugin<Tables>(): <Params extends Schemas, Results>(
  definition: PluginDefinition<Tables, Params, Results>,
) => TypedPlugin<MethodTypes<Params, Results>> {
  return ({ migrations = {}, methods = {}, streams = [], tasks = {}, ...rest }) => ({
    ...rest,
    migrations: mapValues(migrations, migration),
    methods: mapValues(methods as Readonly<Record<string, MethodDefinition<Tables, z.ZodType>>>, method),
    streams: streams.map(stream),
    tasks,
  });
}

function migration(definition: string | readonly string[] | Migration): Migration {
  if (typeof definition === "object" && "up" in definition) return definition;
  const statements = typeof definition === "string" ? [definition] : definition;
  return {
    up: async (db) => {
      // Loaded only here: the main thread, which runs no migration, declares an app without the query builder.
      const { sql } = await import("kysely");
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}

function method<Tables>(definition: MethodDefinition<Tables, z.ZodType>): Method {
  const { kind = "effect", role = kind === "read" ? "viewer" : "operator" } = definition;
  return { ...definition, kind, role };
}

function stream<Tables>(definition: StreamDefinition<Tables>): StreamFamily {
  return { always: !definition.name.endsWith("/"), inbox: false, mayRead: () => true, ...definition };
}

function mapValues<From, To>(values: Readonly<Record<string, From>>, to: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value)]));
}
