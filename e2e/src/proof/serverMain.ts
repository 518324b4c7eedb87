/**
 * The real server in a process of its own, so that it can be killed: started by `server.ts`, with its settings
 * as one JSON argument.
 *
 * Whoever connects says who they are (`ada`, `ada/viewer`, `ada/operator/<end, ms since 1970>`), since the proof
 * is about the protocol and not about sign-in; `nobody` is refused, `hang` is never judged, `broken` throws.
 * `speed` makes the server's clock run faster than the world's, so that an end 30 s away passes within a test.
 */
import type { Clock } from "@holdfast/protocol";
import {
  type AdmissionLimits,
  type ConnectionLimits,
  createServer,
  type SignedIn,
  type SignInRequest,
} from "@holdfast/server";

/** The settings, as JSON. */
export interface ProofSettings {
  readonly data: string;
  readonly port: number;
  readonly speed: number;
  readonly limits: Partial<ConnectionLimits>;
  readonly admission: Partial<AdmissionLimits>;
}

/** Asked on the channel: a key that enrols one agent. */
export interface KeyQuestion {
  readonly kind: "agentKey";
  readonly name: string;
}

/** Said on the channel. */
export type ProofAnswer =
  | { readonly kind: "ready"; readonly url: string }
  | { readonly kind: "agentKey"; readonly name: string; readonly key: string };

const settings = JSON.parse(process.argv[2] ?? "{}") as ProofSettings;
const { speed } = settings;
const startedAt = Date.now();
const clock: Clock = {
  now: () => Math.round(startedAt + (Date.now() - startedAt) * speed),
  monotonic: () => performance.now() * speed,
  after: (ms, run) => setTimeout(run, ms / speed),
  cancel: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

function authenticate({ token }: SignInRequest): SignedIn | null | Promise<SignedIn | null> {
  if (token === undefined || token === "nobody") return null;
  if (token === "hang") return new Promise(() => {});
  if (token === "broken") throw new TypeError("a verifier that is broken as asked");
  const [id = "", role = "operator", end] = token.split("/");
  return {
    id,
    role: role as NonNullable<SignedIn["role"]>,
    ...(end === undefined ? {} : { expiresAt: Number(end) }),
  };
}

const say = (answer: ProofAnswer): void => void process.send?.(answer);

const server = await createServer({
  app: new URL("app.ts", import.meta.url),
  data: settings.data,
  port: settings.port,
  limits: settings.limits,
  admission: settings.admission,
  authenticate,
  clock,
  version: "proof",
});
process.on("message", ({ name }: KeyQuestion) => {
  void server.agentKey(name).then((key) => say({ kind: "agentKey", name, key }));
});
// Whoever started it is gone, in whatever way.
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => void server.close().then(() => process.exit(0)));
say({ kind: "ready", url: server.url });
