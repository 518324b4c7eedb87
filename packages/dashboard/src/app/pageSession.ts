/**
 * The page's life: opening, signed out, open; and the one session while it is open.
 *
 *   opening ──► signedOut ──code──► opening ──► open ──sign out──► signedOut
 *      └──► unreachable ──again──► opening          └─another user──► open (all state dropped, OP-5)
 *
 * A link that is lost, or a session that ended, is not an end of `open`: what was read stays readable, and
 * the connection feature says what to do. Invariant: at most one session is open, and it is closed before
 * another is made. It deliberately knows no React.
 */
import type { DurableSession } from "@holdfast/client/durable";
import type { ControlMethods } from "@holdfast/control/contract";
import { forgetDrafts } from "@holdfast/react/drafts";
import { forgetDraftsOfOthers } from "../shared/data/drafts.ts";
import { type Ledger, withLedger } from "../shared/data/ledger.ts";
import { problemText, sentence } from "../shared/format/problem.ts";
import type { About, SignInDoor, SignInResult, SignInWays } from "../shared/http/signIn.ts";
import type { OtherTabs } from "../shared/platform/otherTabs.ts";
import { forgetAll } from "../shared/platform/remembered.ts";

export type PageState =
  | { readonly kind: "opening" }
  | { readonly kind: "signedOut"; readonly problem: string | undefined; readonly ways: SignInWays }
  | { readonly kind: "unreachable"; readonly problem: string }
  | {
      readonly kind: "open";
      readonly session: DurableSession<ControlMethods>;
      readonly ledger: Ledger;
      readonly about: About;
      readonly identity: number;
    };

export interface PageSessionPorts {
  readonly door: SignInDoor;
  /** Opens the session; it calls back when another user turns out to be signed in. */
  readonly open: (about: About, onIdentityChanged: () => void) => DurableSession<ControlMethods>;
  /** Drops what this device keeps of this person. */
  readonly forget: (about: About) => Promise<void>;
  readonly tabs: OtherTabs;
}

export class PageSession {
  private readonly ports: PageSessionPorts;
  private current: PageState = { kind: "opening" };
  private readonly listeners = new Set<() => void>();

  constructor(ports: PageSessionPorts) {
    this.ports = ports;
    ports.tabs.onSignedOut(() => void this.leave());
  }

  state = (): PageState => this.current;

  onChange = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Redeems `code` where there is one, then opens as whoever is signed in. `failed`: why a provider's page signed nobody in. */
  async start(code: string | undefined, failed?: string): Promise<void> {
    this.show({ kind: "opening" });
    let problem = failed;
    if (code !== undefined) {
      problem = problemOf(await this.ports.door.redeem(code)) ?? failed;
    }
    try {
      const about = await this.ports.door.about();
      if (about.user === null && about.mode !== "development") this.signedOut(problem, about);
      else this.openAs(about);
    } catch (error) {
      this.show({ kind: "unreachable", problem: unreachableText(problemText(error)) });
    }
  }

  /** A code that came while the page was already there. */
  async arrive(code: string): Promise<void> {
    if (this.current.kind === "open") await this.signIn(code);
    else await this.start(code);
  }

  /** Undefined where it worked; else what went wrong, in words. */
  async signIn(code: string): Promise<string | undefined> {
    return await this.enter(await this.ports.door.redeem(code));
  }

  /** As {@link signIn}. */
  async signInBy(email: string, password: string): Promise<string | undefined> {
    return await this.enter(await this.ports.door.withPassword(email, password));
  }

  /** Undefined where it is on its way; else what went wrong, in words. */
  async sendLink(email: string, returnTo: string): Promise<string | undefined> {
    return problemOf(await this.ports.door.sendLink(email, returnTo));
  }

  private async enter(result: SignInResult): Promise<string | undefined> {
    const problem = problemOf(result);
    if (problem !== undefined) return problem;
    // With a page already open, its session goes on with the new cookie: nothing that is shown is dropped.
    if (this.current.kind === "open") this.current.session.reconnect();
    else await this.start(undefined);
    return undefined;
  }

  async signOut(): Promise<void> {
    await this.ports.door.signOut();
    this.ports.tabs.tellSignedOut();
    await this.leave();
  }

  /** Nobody is signed in in this browser any more: nothing of them stays in this tab, nor on this device. */
  private async leave(): Promise<void> {
    forgetDrafts();
    forgetAll("tab");
    const before = this.current;
    if (before.kind !== "open") return;
    this.signedOut(undefined, before.about);
    // What waits here unsent is theirs: nobody after them may find it, or send it (O8).
    for (const { ticket } of before.session.saved) before.session.withdraw(ticket);
    await before.session.close();
    await this.ports.forget(before.about);
  }

  private signedOut(problem: string | undefined, about: About | undefined): void {
    const { links, passwords, providers } = about ?? {};
    this.show({ kind: "signedOut", problem, ways: { links, passwords, providers } });
  }

  private openAs(about: About): void {
    // Of whoever was here before, and did not sign out.
    forgetDraftsOfOthers(about.user);
    const opened = this.ports.open(about, () => {
      forgetDrafts();
      if (this.current.kind === "open") this.show({ ...this.current, identity: this.current.identity + 1 });
    });
    this.show({ kind: "open", ...withLedger(opened), about, identity: 0 });
  }

  private show(state: PageState): void {
    this.current = state;
    for (const listener of this.listeners) listener();
  }
}

function problemOf(result: SignInResult): string | undefined {
  if (result.kind === "refused") return sentence(result.detail);
  return result.kind === "unreachable" ? unreachableText(result.detail) : undefined;
}

const unreachableText = (detail: string): string => `The server did not answer as expected: ${sentence(detail)}`;
