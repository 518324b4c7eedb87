/** Which Supabase project, as an app names it, and what is wrong with that: judged before anything of it is loaded. Pure. */
import { StartError } from "../../startError.ts";
import { checkedUrl } from "../issuers/issuer.ts";

export interface SupabaseOptions {
  /** The project's, https://<ref>.supabase.co; its tokens must be taken by `issuers` (`supabaseIssuer`). */
  readonly url: string;
  /** Its publishable (or anonymous) key, which names the project and signs nobody in. */
  readonly publishableKey: string;
}

/** Throws a `StartError` that names the wrong value. */
export function supabaseOptionsOf(options: SupabaseOptions): SupabaseOptions {
  checkedUrl(options.url, "supabase.url");
  if (!/^[\x21-\x7e]{1,2000}$/.test(options.publishableKey))
    throw new StartError("supabase.publishableKey is no key: give the project's publishable (or anonymous) key.");
  return options;
}
