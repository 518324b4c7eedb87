/** Sign-in with issuers over a real engine in memory, and a real provider on loopback. */
import { fetchProvider } from "../../../src/auth/issuers/fetchProvider.ts";
import { createIssuedTokens, type IssuedReading } from "../../../src/auth/issuers/issuedTokens.ts";
import { type IssuerOptions, issuersOf } from "../../../src/auth/issuers/issuer.ts";
import type { AskProvider } from "../../../src/auth/issuers/provider.ts";
import type { Auth } from "../../../src/auth/service.ts";
import { createAuth } from "../../../src/auth/service.ts";
import { type IdentityProvider, startIdentityProvider } from "../../support/identityProvider.ts";
import { type AuthWorld, openAuth } from "../authWorld.ts";

export interface IssuersWorld extends AsyncDisposable {
  readonly world: AuthWorld;
  readonly provider: IdentityProvider;
  readonly auth: Auth;
  read(token: string): Promise<IssuedReading>;
  /** A token of the provider for Ada, an hour long from the world's now; claims in the place of the right ones. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export async function openIssuers(
  options: Partial<IssuerOptions> & { readonly alg?: string; readonly more?: readonly IssuerOptions[] } = {},
): Promise<IssuersWorld> {
  const { alg, more = [], ...issuer } = options;
  const world = await openAuth();
  const provider = await startIdentityProvider(alg === undefined ? {} : { alg });
  const issuers = issuersOf([{ issuer: provider.url, jwksUrl: provider.jwksUrl, ...issuer }, ...more]);
  const { clock, random, logger: log, run } = world;
  // The wait for an answer is the simulated clock's: a test that hangs the provider moves it.
  const ask: AskProvider = (request, limits) => fetchProvider(request, limits);
  const issued = createIssuedTokens({ issuers, ask, clock, log });
  const auth = await createAuth({ run, mode: "local", clock, random, log, issued });
  return {
    world,
    provider,
    auth,
    read: (token) => issued.read(token),
    token: (claims = {}, header = {}) => {
      const now = Math.floor(clock.now() / 1000);
      return provider.sign({ sub: "ada-1", name: "Ada", iat: now, exp: now + 3_600, ...claims }, header);
    },
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}
