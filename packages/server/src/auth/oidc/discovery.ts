/**
 * What an OpenID provider says of itself: where people sign in, where a code is exchanged, where its keys are.
 *
 * Kept and asked for as every document of a provider is. Invariant: it counts only if it names the very issuer that
 * was configured, and only addresses that nobody on the way can change: another's document moves no endpoint.
 */
import type { Clock } from "@holdfast/protocol";
import { z } from "zod";
import type { Log } from "../../observe/log.ts";
import { isSafe } from "../issuers/issuer.ts";
import { type AskProvider, getJson, ProviderFailed } from "../issuers/provider.ts";
import { createRemoteDocument, type RemoteDocument } from "../issuers/remoteDocument.ts";

const address = z.string().refine((text) => URL.canParse(text) && isSafe(new URL(text)));

const shape = z.object({
  issuer: z.string(),
  authorization_endpoint: address,
  token_endpoint: address,
  jwks_uri: address,
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});

export type Discovery = z.infer<typeof shape>;

export function createDiscovery(parts: {
  readonly issuer: string;
  readonly ask: AskProvider;
  readonly clock: Clock;
  readonly log: Log;
}): RemoteDocument<Discovery> {
  const { issuer, ask, clock, log } = parts;
  const url = `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
  return createRemoteDocument({
    read: async () => readDiscovery(await getJson(ask, clock, url), issuer),
    clock,
    log,
    about: { issuer, document: "discovery" },
  });
}

function readDiscovery(json: unknown, issuer: string): Discovery {
  const read = shape.safeParse(json);
  if (!read.success) {
    const fields = [...new Set(read.error.issues.map(({ path }) => path.join(".")))].join(", ");
    throw new ProviderFailed(`its discovery document lacks a usable ${fields || "object"}`);
  }
  if (read.data.issuer !== issuer)
    throw new ProviderFailed(
      `its discovery document is of the issuer ${JSON.stringify(read.data.issuer.slice(0, 200))}`,
    );
  return read.data;
}
