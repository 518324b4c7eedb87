/**
 * Which features whom: OpenFeature's client over a file of flags, or over the app's own provider.
 *
 * Life cycle: opened with the server → asked once an opening → stopped. Invariants: an opening waits at most
 * {@link evaluationMsMax} for its flags, and what fails, hangs or is of another type is the feature's default, told once
 * for each flag and reason; nobody's name goes to a provider, only the id, workspace, role and kind. Loaded only where
 * flags are configured: a start without them needs no library.
 */
import type { Clock } from "@holdfast/protocol";
import { type Client, NOOP_PROVIDER, OpenFeature, type Provider } from "@openfeature/server-sdk";
import { withinMs } from "../admission/deadline.ts";
import type { Log } from "../observe/log.ts";
import type { Principal } from "../plugin.ts";
import { defaultFeatures, type FeatureFlags, type Features } from "./features.ts";
import { type FlagFile, openFlagFile } from "./flagFile.ts";

const evaluationMsMax = 200;
/** Of an app's provider, to be ready at the start. */
const readyMsMax = 5_000;

const late = (): Error => new Error("no answer in time");

export type FlagSource = { readonly file: string } | { readonly provider: Provider };

export interface OpenFlagsOptions {
  readonly source: FlagSource;
  /** Tells this server's client from others of the same process. */
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Throws a `StartError` where the file cannot be used. */
export async function openFlags({ source, domain, clock, log }: OpenFlagsOptions): Promise<FeatureFlags> {
  const file = "file" in source ? await openFlagFile(source.file, clock, log) : undefined;
  const provider = "provider" in source ? source.provider : fileProvider(file as FlagFile);
  const ready = OpenFeature.setProviderAndWait(domain, provider).catch((error: unknown) =>
    log.warn("flags.provider_failed", { error }),
  );
  await withinMs(clock, readyMsMax, ready, late).catch(() => log.warn("flags.provider_late", { afterMs: readyMsMax }));
  const client = OpenFeature.getClient(domain);
  client.setLogger({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} });
  const told = new Set<string>();
  const tell = (flag: string, reason: string): void => {
    if (told.has(`${flag} ${reason}`)) return;
    told.add(`${flag} ${reason}`);
    log.warn("flags.evaluation_failed", { flag, reason, meaning: "its default counts" });
  };
  return {
    of: (principal) => featuresOf(client, principal, clock, tell),
    stop() {
      file?.stop();
      // Lets go of the app's provider: the library would keep it for as long as the process lives.
      void OpenFeature.setProvider(domain, NOOP_PROVIDER);
    },
  };
}

async function featuresOf(
  client: Client,
  { id, workspace, role, kind }: Principal,
  clock: Clock,
  tell: (flag: string, reason: string) => void,
): Promise<Features> {
  const context = { targetingKey: id, workspace, role, kind };
  const judged = async (name: keyof Features): Promise<readonly [string, boolean]> => {
    const usual = defaultFeatures[name];
    const { value, errorCode } = await client.getBooleanDetails(name, usual, context);
    if (errorCode !== undefined) tell(name, errorCode);
    return [name, value];
  };
  const names = Object.keys(defaultFeatures) as (keyof Features)[];
  const asked = Promise.all(names.map(judged)).then((values) => ({
    ...defaultFeatures,
    ...Object.fromEntries(values),
  }));
  return withinMs(clock, evaluationMsMax, asked, late).catch((error: Error) => {
    tell("all", error.message);
    return defaultFeatures;
  });
}

/** A flag that the file does not have is no error: its default counts. */
function fileProvider(file: FlagFile): Provider {
  const has = (name: string): boolean => file.core.getFlag(name) !== undefined;
  return {
    metadata: { name: "file of flags" },
    runsOn: "server",
    resolveBooleanEvaluation: async (name, usual, context, logger) =>
      has(name) ? file.core.resolveBooleanEvaluation(name, usual, context, logger) : { value: usual },
    resolveStringEvaluation: async (name, usual, context, logger) =>
      has(name) ? file.core.resolveStringEvaluation(name, usual, context, logger) : { value: usual },
    resolveNumberEvaluation: async (name, usual, context, logger) =>
      has(name) ? file.core.resolveNumberEvaluation(name, usual, context, logger) : { value: usual },
    resolveObjectEvaluation: async (name, usual, context, logger) =>
      has(name) ? file.core.resolveObjectEvaluation(name, usual, context, logger) : { value: usual },
  };
}
