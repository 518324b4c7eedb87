/** A live server for anyone's app: `createServer`, what it takes, and what a plugin is. */

export type { AdmissionLimits } from "./admission/limits.ts";
export type { Authenticate, SignedIn, SignInRequest } from "./auth/appSignIn.ts";
export type { HostOriginSettings } from "./auth/hostOrigin.ts";
export { type IssuerOptions, type PersonRole, supabaseIssuer } from "./auth/issuers/issuer.ts";
export type { OidcOptions } from "./auth/oidc/settings.ts";
export type { SupabaseOptions } from "./auth/supabase/options.ts";
export type { ConnectionLimits } from "./connectionLimits.ts";
export { createServer } from "./createServer.ts";
export {
  definePlugin,
  type MethodDefinition,
  type MethodsOf,
  type PluginDefinition,
  type StreamDefinition,
  type TypedPlugin,
} from "./define.ts";
export type { Log } from "./observe/log.ts";
export { type Mode, type Server, type ServerOptions, StartError } from "./options.ts";
export type {
  AgentHello,
  AgentHooks,
  AgentWelcome,
  Lifetime,
  LoggedEvent,
  LogRange,
  LogReader,
  Method,
  NewEvent,
  Plugin,
  PluginHost,
  PluginRuntime,
  Principal,
  PublishRequest,
  PublishVerdicts,
  ReadTransaction,
  StreamFamily,
  Task,
  Transaction,
} from "./plugin.ts";
export type { Lifetimes } from "./store/lifetimes.ts";
export type { RetentionFigures } from "./store/retention.ts";
