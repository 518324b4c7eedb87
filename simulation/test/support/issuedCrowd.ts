/**
 * A crowd of production sessions at one production node, all signed in by tokens of one issuer, in virtual time.
 *
 * Real are the sessions, the node with its gateway and streams, sign-in with its verifier and key set, and the
 * signatures. Simulated are time, the sockets (1 ms each way) and the issuer, which may be away: then it gives nobody a
 * token, and the node no keys. What each client did and saw is written down, and nothing is judged here.
 */
import { randomBytes } from "node:crypto";
import { createSession, type Session, type SessionState } from "@holdfast/client";
import type { ClientSocketEvents, Transport } from "@holdfast/protocol";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { createIssuedTokens } from "../../../packages/server/src/auth/issuers/issuedTokens.ts";
import { issuersOf } from "../../../packages/server/src/auth/issuers/issuer.ts";
import { type AskProvider, ProviderFailed } from "../../../packages/server/src/auth/issuers/provider.ts";
import { plugin as authPlugin } from "../../../packages/server/src/auth/plugin.ts";
import { createAuth } from "../../../packages/server/src/auth/service.ts";
import { defaultConnectionLimits } from "../../../packages/server/src/connectionLimits.ts";
import { decodeTextFrame } from "../../../packages/server/src/gateway/frame.ts";
import type { ServerSocketEvents } from "../../../packages/server/src/gateway/serverSocket.ts";
import { createNode, type Node } from "../../../packages/server/src/node.ts";
import { inProcessStore } from "../../../packages/server/src/store/inProcess.ts";
import { openEngine } from "../../../packages/server/test/support/engine.ts";
import { plugin as notes } from "../../../packages/server/test/support/notesApp.ts";
import { makeVirtualClock, type VirtualClock } from "./virtualClock.ts";

const startMs = 1_800_000_000_000;
const wayMs = 1;
const issuerName = "https://id.example.org";

/** One client's notes, times in ms since the start. */
export interface Member {
  readonly session: Session;
  readonly states: { readonly at: number; readonly state: SessionState }[];
  /** Sockets that were begun, and until when the token in hand was good at that moment. */
  readonly attempts: { readonly at: number; readonly goodUntil: number }[];
  readonly refreshes: number[];
  readonly closes: { readonly at: number; readonly code: number }[];
  /** Ends of its tokens, in the order of getting. */
  readonly ends: number[];
  readonly offsets: number[];
}

export interface Crowd extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly node: Node;
  readonly members: readonly Member[];
  readonly log: { readonly at: number; readonly level: string; readonly event: string }[];
  readonly issuer: { isAway: boolean; rotate(): Promise<void> };
  /** Appends one event to the stream that everybody reads. */
  publish(): Promise<void>;
}

/** @param lifeMsOf how long a client's token lives, by its index */
export async function openCrowd(count: number, lifeMsOf: (index: number) => number): Promise<Crowd> {
  const clock = makeVirtualClock(startMs);
  const random = { fraction: Math.random, bytes: (length: number) => randomBytes(length) };
  const lines: Crowd["log"] = [];
  const write = (level: string) => (event: string) => void lines.push({ at: clock.monotonic(), level, event });
  const log = { debug: () => {}, info: write("info"), warn: write("warn"), error: write("error") };

  let key = await makeKey();
  const issuer = {
    isAway: false,
    rotate: async () => {
      key = await makeKey();
    },
  };
  const ask: AskProvider = async () => {
    if (issuer.isAway) throw new ProviderFailed("it is away, as asked");
    return { status: 200, body: JSON.stringify({ keys: [key.jwk] }) };
  };
  const real = createIssuedTokens({
    issuers: issuersOf([{ issuer: issuerName, jwksUrl: `${issuerName}/jwks.json` }]),
    ask,
    clock,
    log,
  });
  const issued = { ...real, read: (token: string) => clock.during(() => real.read(token)) };

  const { engine, dialect } = await openEngine([authPlugin, notes], () => clock.now());
  const making = createNode({
    app: notes,
    store: inProcessStore(engine, dialect),
    clock,
    random,
    log,
    mode: "local",
    limits: defaultConnectionLimits,
    authenticator: (run) => createAuth({ run, mode: "local", clock, random, log, issued }),
  });
  const node = await clock.until(making);
  await clock.until(node.start());

  const makeMember = (index: number): Member => {
    const member = {
      states: [],
      attempts: [],
      refreshes: [],
      closes: [],
      ends: [],
      offsets: [],
    } as unknown as Writable;
    const getToken = async (): Promise<string> => {
      member.refreshes.push(clock.monotonic());
      if (issuer.isAway) throw new TypeError("Failed to fetch");
      const exp = Math.floor((clock.now() + lifeMsOf(index)) / 1_000);
      member.ends.push(exp * 1_000 - startMs);
      const header = { alg: "EdDSA", kid: key.kid };
      const claims = { iss: issuerName, sub: `person ${index}`, iat: Math.floor(clock.now() / 1_000), exp };
      return await clock.during(() => new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey));
    };
    member.session = createSession({
      url: "ws://node.test/ws",
      clientName: "crowd",
      clock,
      random,
      getToken,
      transport: transportTo(node, clock, `10.0.${index >> 8}.${index & 255}`, member),
      http: () => Promise.reject(new Error("no HTTP here")),
    });
    member.session.onChange(() => {
      const { state } = member.session;
      if (member.states.at(-1)?.state.kind !== state.kind) member.states.push({ at: clock.monotonic(), state });
    });
    member.session.subscribe("log/all", {
      from: "start",
      onEvents: (events) => member.offsets.push(...events.map(({ offset }) => offset)),
    });
    return member;
  };
  const publish = async (): Promise<void> => {
    const event = { event: "note", data: { text: "." } };
    await node.context.committer.run({ kind: "append", workspace: "default", stream: "log/all", events: [event] });
  };
  return {
    clock,
    node,
    members: Array.from({ length: count }, (_, index) => makeMember(index)),
    log: lines,
    issuer,
    publish,
    async [Symbol.asyncDispose]() {
      await dialect.close();
    },
  };
}

type Writable = { -readonly [Name in keyof Member]: Member[Name] };

/** Sockets to the gateway itself: each way takes {@link wayMs}, and nothing is lost. */
function transportTo(node: Node, clock: VirtualClock, address: string, member: Writable): Transport {
  return {
    open(_url, _protocols, client: ClientSocketEvents) {
      member.attempts.push({ at: clock.monotonic(), goodUntil: member.ends.at(-1) ?? Number.NEGATIVE_INFINITY });
      let server: ServerSocketEvents | undefined;
      let isClosed = false;
      const later = (run: () => void): void => void clock.after(wayMs, run);
      const end = (code: number, reason: string): void => {
        if (isClosed) return;
        isClosed = true;
        member.closes.push({ at: clock.monotonic(), code });
        later(() => client.closed(code, reason));
        server?.closed(code, reason);
      };
      later(() => {
        if (isClosed) return;
        server = node.gateway.accept(
          {
            write: (frame) => later(() => !isClosed && client.received(decodeTextFrame(frame))),
            unsentBytes: 0,
            // After what was written before it, as TCP would.
            close: (code, reason) => later(() => end(code, reason)),
            terminate: () => end(1006, ""),
            pause: () => {},
            resume: () => {},
          },
          {},
          address,
        );
        client.opened();
      });
      return {
        send: (frame) => later(() => server?.text(frame, Buffer.byteLength(frame))),
        close: (code, reason) => end(code, reason),
      };
    },
  };
}

async function makeKey() {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA");
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, privateKey, jwk: { ...jwk, kid, use: "sig" } };
}
