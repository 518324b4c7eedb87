/** Two nodes of a deployment with people: who signs in, who asks, and what they are told. */
import type { ServerMessage } from "@holdfast/protocol";
import { type Nodes, openNodes, type TestNode } from "../../support/nodes.ts";
import { uuidAt } from "../../support/principals.ts";
import type { TestClient } from "../../support/world.ts";

/** Simulated. */
const answerMsMax = 2_000;
const instance = "people";

export type Response = Extract<ServerMessage, { type: "response" }>;

export interface PeopleWorld {
  readonly nodes: Nodes;
  readonly a: TestNode;
  readonly b: TestNode;
  /** The owner, signed in, on `a`. */
  readonly owner: TestClient;
  readonly ownerCookie: string;
  /** One request over a socket, and its answer. */
  ask(client: TestClient, method: string, params: object, id?: string): Promise<Response>;
  /** The same, where it must have a result. */
  done(client: TestClient, method: string, params: object): Promise<Readonly<Record<string, unknown>>>;
  /** Invited by the owner; the link has not been opened. */
  invite(name: string, role: string, by?: TestClient): Promise<{ user: string; code: string; expiresAt: number }>;
  /** Who opens a link: their cookie, or undefined where it does not work. */
  redeem(code: string): Promise<string | undefined>;
  /** Invited, and signed in. */
  person(name: string, role: string): Promise<{ user: string; cookie: string }>;
  /** Signed in by an issuer, in a workspace of choice. */
  issued(
    name: string,
    role: "viewer" | "operator" | "admin",
    workspace: string,
  ): Promise<{ user: string; cookie: string }>;
  /** Whether a cookie still signs somebody in on `b`. */
  holds(cookie: string): Promise<boolean>;
  closedWithin(client: TestClient, msMax: number): Promise<number | undefined>;
}

export async function openPeople(): Promise<PeopleWorld> {
  const nodes = await openNodes();
  const [a, b] = [await nodes.start(), await nodes.start()];
  const ownerCookie = await a.signIn();
  const owner = await a.open({ cookie: ownerCookie });
  const world: PeopleWorld = {
    nodes,
    a,
    b,
    owner,
    ownerCookie,
    async ask(client, method, params, id = uuidAt(nodes)) {
      const before = client.of("response").length;
      client.send({ type: "request", id, method, params });
      for (let ms = 0; client.of("response").length === before; ms += 1) {
        if (ms > answerMsMax) throw new Error(`${method} had no answer within ${answerMsMax} ms`);
        await nodes.clock.advance(1);
      }
      return client.of("response").at(-1) as Response;
    },
    async done(client, method, params) {
      const response = await world.ask(client, method, params);
      if (!("result" in response)) throw new Error(`${method}: ${JSON.stringify(response)}`);
      return response.result as Readonly<Record<string, unknown>>;
    },
    async invite(name, role, by = owner) {
      const { user, link, expiresAt } = await world.done(by, "user.invite", { name, role });
      return { user: String(user), code: String(link).replace("/#", ""), expiresAt: Number(expiresAt) };
    },
    async redeem(code) {
      const redeemed = await a.wait(a.authenticator.redeem(code));
      return redeemed.kind === "signedIn" ? redeemed.cookie : undefined;
    },
    async person(name, role) {
      const { user, code } = await world.invite(name, role);
      const cookie = await world.redeem(code);
      if (cookie === undefined) throw new Error("the link was refused");
      return { user, cookie };
    },
    async issued(name, role, workspace) {
      const expiresAt = nodes.clock.now() + 3_600_000;
      const identity = { issuer: "https://id.example.org", subject: name, name, workspace, role, expiresAt };
      const begun = await a.wait(a.authenticator.signIn(identity));
      if (begun.kind !== "signedIn") throw new Error("the person was refused");
      return { user: begun.user.id, cookie: begun.cookie };
    },
    holds: async (cookie) => (await b.wait(b.authenticator.verify({ cookie, instance }))).kind === "accepted",
    async closedWithin(client, msMax) {
      for (let ms = 0; ms < msMax && client.closed === undefined; ms += 10) await nodes.clock.advance(10);
      return client.closed?.code;
    },
  };
  return world;
}
