/**
 * A person with a page: readers, requests, publishes, and a token that ends.
 *
 * Life: one incarnation a page (a process with a session); a reload or a crash ends it and makes the next, which
 * reads anew and starts its producers anew. What it asks and hears is told to the judge under the incarnation's name.
 * It decides nothing: the plan says what it does and when.
 */
import { memoryStorage } from "@holdfast/client/storage";
import { ProtocolError } from "@holdfast/protocol";
import { nothingKept } from "../../../packages/client/src/storage/memory.ts";
import { dice } from "../core/dice.ts";
import { Process } from "../core/process.ts";
import type { PersonPlan } from "../plan/cast.ts";
import { hasWrongClocks } from "../plan/clocks.ts";
import type { Browser } from "../world/browser.ts";
import type { Person as Identity } from "../world/issuer.ts";
import type { Path } from "../world/path.ts";
import type { Surroundings } from "../world/surroundings.ts";
import { requestName } from "./content.ts";
import { Producers } from "./producers.ts";
import { Readings } from "./readings.ts";
import { type DurableSession, openPage, openProgram, type PublisherSession } from "./sessions.ts";
import { type Because, type Watched, watchedTransport } from "./watch.ts";

const threadsLookedBackAt = 3;
/** A node that ran again for so long has told what it had to tell. */
const sleptMsMax = 10_000;
/** How long the way to the issuer and back takes. */
const tokenMs = 30;

export class Person {
  readonly plan: PersonPlan;
  readonly path: Path;
  readonly browser: Browser | undefined;
  process: Process;
  transport: Watched;
  session: DurableSession | PublisherSession;
  /** Who the issuer says this is: changes where somebody else signs in here. */
  identity: Identity;
  client: string;
  /** Of whoever was signed in when the page was loaded. */
  workspace: string;
  token: ReturnType<Surroundings["issuer"]["token"]> | undefined;
  /** Deliveries of all incarnations. */
  deliveries = 0;
  private readonly world: Surroundings;
  incarnations = 0;
  private requests = 0;
  private readings: Readings | undefined;
  private producers: Producers | undefined;
  /** Threads that this page reads, and what it knows of its own commands and of everybody's ends. */
  private readonly threads = new Set<string>();
  /** Of all pages. */
  private readonly past: { readonly thread: string; readonly workspace: string }[] = [];
  private readonly commands = new Map<string, "accepted" | "told">();
  private readonly ends = new Map<string, string>();
  private readonly lanes = new Map<string, string[]>();
  /** What the page's storage holds: it survives the page. */
  private readonly kept = nothingKept();
  /** The server said that this page is another person's: it will be loaded anew. */
  private isForsaken = false;
  private loadedAs: Identity | undefined;
  private because: Because | undefined;
  private shownState = "";
  private isSettled = false;

  /** @param browser of which its page is a tab, if it is one. */
  constructor(world: Surroundings, plan: PersonPlan, browser: Browser | undefined) {
    this.world = world;
    this.plan = plan;
    this.browser = browser;
    this.identity = { id: plan.browser ?? plan.name, role: plan.role, workspace: plan.workspace };
    this.path = this.browser?.path ?? world.network.path(plan.name, plan.latencyMs, plan.jitterMs);
    this.client = "";
    this.workspace = plan.workspace;
    this.process = new Process(world.scheduler, plan.name);
    this.process.kill();
    [this.transport, this.session] = this.begin();
  }

  /** Whether its public state is one of an open connection. */
  get isOpen(): boolean {
    return this.process.isAlive && ["live", "catchingUp", "degraded"].includes(this.session.state.kind);
  }

  /** Somebody else has signed in here since the page was loaded. */
  get isAnothers(): boolean {
    return this.loadedAs !== this.identity;
  }

  get outbox(): number {
    return this.session.outbox;
  }

  /** Durable requests that nobody has heard the outcome of, those of earlier pages too. */
  get saved(): number {
    return "saved" in this.session ? this.session.saved.length : 0;
  }

  /** Bytes of its producers that are not decided. */
  get undecidedBytes(): number {
    return this.producers?.undecidedBytes ?? 0;
  }

  publish(...what: Parameters<Producers["publish"]>): void {
    if (!this.isForsaken) this.producers?.publish(...what);
  }

  /** `isDurable`: it waits through reloads, and whoever comes after hears its outcome (RQ-3). */
  request(method: "board.add" | "board.refuse" | "board.break", lane: string | undefined, isDurable: boolean): void {
    const { world, client, session } = this;
    if (this.isForsaken) return;
    this.requests += 1;
    const request = requestName(client, this.requests, session.user?.id ?? "");
    const after = lane === undefined || !("saved" in session) ? undefined : this.lanes.get(lane)?.at(-1);
    const at = world.scheduler.now;
    world.observe({ kind: "requestIssued", at, request, client, ...(after === undefined ? {} : { after }) });
    if (lane !== undefined) this.lanes.set(lane, [...(this.lanes.get(lane) ?? []), request]);
    const settled = (outcome: "result" | "error" | "unknown", isUnheard = false): void => {
      if (lane !== undefined) {
        const rest = (this.lanes.get(lane) ?? []).filter((other) => other !== request);
        this.lanes.set(lane, rest);
      }
      if (this.client === client && !this.isForsaken)
        world.observe({ kind: "requestSettled", at: world.scheduler.now, request, outcome, isUnheard });
    };
    const asked =
      "saved" in session
        ? session.call(method, { request }, { ...(lane !== undefined && { lane }), durable: isDurable })
        : session.call(method, { request });
    asked.then(
      () => settled("result"),
      (error: unknown) =>
        isUnknown(error) ? settled("unknown", error.details?.["last"] === undefined) : settled("error"),
    );
  }

  /** Sends a command, and watches its thread from then on. */
  command(agent: string): void {
    const { world, client, session } = this;
    if (this.isForsaken) return;
    this.requests += 1;
    const request = requestName(client, this.requests, session.user?.id ?? "");
    world.observe({ kind: "requestIssued", at: world.scheduler.now, request, client });
    session.call("command.send", { agent, text: request }).then(
      (result) => {
        if (this.client !== client || this.isForsaken) return;
        const { command, thread } = result as { readonly command: string; readonly thread: string };
        const at = world.scheduler.now;
        world.observe({ kind: "requestSettled", at, request, outcome: "result" });
        world.observe({ kind: "commandAccepted", at, command, client });
        this.commands.set(command, "accepted");
        this.readThread(thread);
        this.tell(command, this.ends.get(command));
      },
      (error: unknown) => {
        const outcome = isUnknown(error) ? "unknown" : "error";
        if (this.client === client && !this.isForsaken)
          world.observe({ kind: "requestSettled", at: world.scheduler.now, request, outcome });
      },
    );
  }

  /** AU-9: the issuer ends its token before its time, and every node hears of it. */
  revoke(): void {
    const { world, token, client } = this;
    if (token === undefined) return;
    world.issuer.revoked.add(token.serial);
    for (const { node } of world.nodes) node?.authenticator.end(`token ${token.serial}`);
    world.observe({ kind: "revoked", at: world.scheduler.now, client, graceMs: 10_000 });
    this.token = undefined;
  }

  count(): void {
    this.session.call("board.count", {}).catch(() => {});
  }

  signal(stream: string): void {
    this.session.signal(stream, "typing", { w: this.workspace });
  }

  reconnect(): void {
    this.excuse("person");
    this.session.reconnect();
  }

  hint(hint: "online" | "offline" | "visible" | "hidden"): void {
    if (hint === "online") this.excuse("online");
    this.session.hint(hint);
  }

  /** The next attempt may pass the backoff: its own, or its browser's. */
  private excuse(because: Because): void {
    this.because = because;
    if (this.browser !== undefined) this.browser.because = because;
  }

  /** Another reader of a stream, as a view that is opened: one more on the same page. */
  read(stream: string, from: "start" | "latest"): void {
    this.readings?.read(stream, from);
  }

  /** The page is gone (closed, crashed, reloaded) and, where `isBack`, there again at once. */
  end(isSilent: boolean): void {
    const { world, process, client } = this;
    if (!process.isAlive) return;
    process.kill();
    for (const connection of world.network.of(this.path))
      if (connection.client === process) connection.processEnded("client", isSilent);
    this.tally();
    this.producers?.end();
    this.producers = undefined;
    this.lanes.clear();
    this.threads.clear();
    this.commands.clear();
    this.ends.clear();
    world.observe({ kind: "clientEnded", at: world.scheduler.now, client });
    this.client = `${client} (gone)`;
  }

  restart(): void {
    if (this.process.isAlive) return;
    [this.transport, this.session] = this.begin();
  }

  /** Adds up what its readings had. */
  tally(): void {
    this.deliveries += this.readings?.takeDeliveries() ?? 0;
  }

  /** Opens the newest threads of its commands again, those of earlier pages too. */
  lookBack(): void {
    for (const { thread, workspace } of this.past.slice(-threadsLookedBackAt))
      if (workspace === this.workspace) this.read(`thread/${thread}`, "start");
  }

  private readThread(thread: string): void {
    if (this.threads.has(thread)) return;
    this.threads.add(thread);
    this.past.push({ thread, workspace: this.workspace });
    this.read(`thread/${thread}`, this.requests % 3 === 0 ? "latest" : "start");
  }

  /** The end of a command, as a thread's event or snapshot shows it. */
  private seeEnd(command: string, outcome: string): void {
    if (!this.ends.has(command)) this.ends.set(command, outcome);
    this.tell(command, outcome);
  }

  /** The ladder of one's own command: its last step is shown once. */
  private tell(command: string, outcome: string | undefined): void {
    if (outcome === undefined || this.commands.get(command) !== "accepted") return;
    this.commands.set(command, "told");
    const { world, client } = this;
    world.observe({ kind: "personTold", at: world.scheduler.now, command, client, outcome });
  }

  /** CL-3: connected, and nothing of any stream is still to be answered. */
  private lookSettled(): void {
    if (this.isSettled || !this.isOpen || this.readings?.areAnswered !== true) return;
    this.isSettled = true;
    this.world.observe({ kind: "settled", at: this.world.scheduler.now, client: this.client });
  }

  private begin(): [Watched, DurableSession | PublisherSession] {
    const { world, plan } = this;
    this.incarnations += 1;
    this.client = `${plan.name}/${this.incarnations}`;
    this.workspace = this.identity.workspace;
    this.loadedAs = this.identity;
    this.process = new Process(world.scheduler, this.client, plan.skewMs);
    this.isForsaken = false;
    this.because = "person";
    const { process, client } = this;
    const transport = watchedTransport({
      client,
      process,
      path: this.path,
      network: world.network,
      now: () => world.scheduler.now,
      observe: (observation) => world.observe(observation),
      forsaken: () => {
        this.isForsaken = true;
      },
      expiring: () => world.effect("tokenExpired", plan.name),
      refused: (token) => {
        if (!world.issuer.refused.has(token))
          world.violated("I5", `${client} was refused (4401), and nobody has refused its credential`);
      },
      endedUntold: () => {
        // A node that did not run when it was to be told finds the credential ended when it wakes.
        const hasSlept = world.nodes.some(({ process: node }) => world.scheduler.now - node.stoppedAt < sleptMsMax);
        if (!hasWrongClocks(world.plan) && !hasSlept)
          world.violated(
            "REL-I14",
            `${client} was closed for its credential's end, and never told that it comes (AU-7)`,
          );
      },
      because: () => {
        const why = this.because;
        this.because = undefined;
        return why;
      },
    });
    const options = {
      url: "ws://holdfast.test/ws",
      clientName: "page",
      clock: process.clock,
      random: dice(world.seed, "client", client),
      transport,
      http: () => Promise.reject(new Error("no HTTP here")),
      getToken: () => this.getToken(process),
      onIdentityChanged: () => world.identityChanged(this),
      onProblem: (problem: ProtocolError) => world.problem(client, problem),
    };
    const storage = memoryStorage(this.kept);
    const session =
      this.browser !== undefined
        ? this.browser.open(process, options.getToken, options.onIdentityChanged)
        : plan.kind === "page"
          ? openPage({ ...options, storage })
          : openProgram(options);
    this.session = session;
    this.readings = new Readings({
      world,
      plan,
      client,
      identity: { user: this.identity.id, workspace: this.workspace },
      process,
      session,
      storage,
      isForsaken: () => this.isForsaken,
      changed: () => this.lookSettled(),
      seen: (event, data) => {
        if (event !== "command.finished") return;
        const { command, outcome } = data as { readonly command: string; readonly outcome: string };
        this.seeEnd(command, outcome);
      },
      seenState: (data) => {
        for (const { id, outcome } of (data["commands"] ?? []) as readonly { id: string; outcome: string | null }[])
          if (outcome !== null) this.seeEnd(id, outcome);
      },
    });
    this.producers = "producer" in session ? new Producers(world, session, client, this.workspace) : undefined;
    session.onChange(() => {
      const { kind } = session.state;
      // A page that is gone shows nothing, also where it went in the middle of a callback.
      if (!process.isAlive || kind === this.shownState) return;
      this.shownState = kind;
      const at = world.scheduler.now;
      world.observe({ kind: "clientState", at, client, state: kind });
      if (
        session.state.kind === "stopped" &&
        session.state.reason === "auth_failed" &&
        world.issuer.refused.size === 0 &&
        !hasWrongClocks(world.plan)
      )
        world.observe({ kind: "measured", at, what: `refusals that ${client} made up (CL-7)`, value: 1, max: 0 });
      this.isSettled = false;
      this.lookSettled();
    });
    for (const { stream, from } of plan.reads)
      if (plan.keeps === true) this.readings.readKept(stream, from);
      else this.readings.read(stream, from);
    return [transport, session];
  }

  private getToken(process: Process): Promise<string | null> {
    const { world, plan } = this;
    return new Promise((resolve, reject) => {
      process.arrive(world.scheduler.now + tokenMs, () => {
        const { issuer } = world;
        if (!issuer.isReachable) {
          world.effect("issuerUnreachable", this.plan.name);
          reject(new Error("the issuer does not answer"));
          return;
        }
        const trueNow = world.trueClock();
        this.token = issuer.token(this.identity, trueNow, plan.tokenLifeMs, plan.hasOpaqueToken);
        const { text, expiresAt } = this.token;
        // By a node's wrong clock nobody can say when it ends.
        const until = world.areClocksRight ? world.scheduler.now + (expiresAt - trueNow) : null;
        // What earlier pages saved is asked with it too.
        for (const { plan: other, incarnations } of world.people)
          if (other.name === plan.name || (other.browser !== undefined && other.browser === plan.browser))
            for (let page = 1; page <= incarnations; page += 1)
              world.observe({ kind: "authorised", at: world.scheduler.now, client: `${other.name}/${page}`, until });
        resolve(text);
      });
    });
  }
}

/** RQ-3: the outcome may have been any; an end before sending is none of the server's. */
function isUnknown(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.code === "timeout";
}
