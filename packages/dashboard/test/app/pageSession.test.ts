// @vitest-environment jsdom
/** The page's life: code, sign-in, another user, sign-out. */
import { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { takeCodeFromAddress } from "../../src/app/addressCode.ts";
import { takeProblemFromAddress } from "../../src/app/addressProblem.ts";
import { PageSession } from "../../src/app/pageSession.ts";
import { draftsOf } from "../../src/shared/data/drafts.ts";
import { SendsStore } from "../../src/shared/data/sendsStore.ts";
import { type About, codeIn, type SignInDoor } from "../../src/shared/http/signIn.ts";
import { FakeSession, savedSend } from "../support/fakeSession.ts";

const user = { id: "user-1", name: "Ada", role: "admin", workspace: "default", temporary: false } as const;

function makePage(change: Partial<SignInDoor> & { signedIn?: boolean; mode?: About["mode"] } = {}) {
  const session = new FakeSession();
  const state = {
    signedIn: change.signedIn ?? false,
    opened: 0,
    identityChanged: (): void => undefined,
    forgotten: [] as (string | undefined)[],
    told: 0,
    otherTabSignsOut: (): void => undefined,
  };
  const page = new PageSession({
    door: {
      about: async () => ({
        mode: change.mode ?? "local",
        user: state.signedIn ? user : null,
        version: "0.1.0",
        store: "sqlite",
      }),
      redeem: async () => {
        state.signedIn = true;
        return { kind: "signedIn" };
      },
      withPassword: async () => {
        state.signedIn = true;
        return { kind: "signedIn" };
      },
      sendLink: async () => ({ kind: "signedIn" }),
      signOut: async () => undefined,
      ...change,
    },
    forget: async (about) => void state.forgotten.push(about.user?.id),
    tabs: {
      tellSignedOut: () => {
        state.told += 1;
      },
      onSignedOut: (run) => {
        state.otherTabSignsOut = run;
      },
    },
    open: (_about, onIdentityChanged) => {
      state.opened += 1;
      state.identityChanged = onIdentityChanged;
      return session;
    },
  });
  return { page, session, state };
}

describe("PageSession", () => {
  it("opens with a code, once", async () => {
    const { page, state } = makePage();
    await page.start("code");
    expect(page.state()).toMatchObject({ kind: "open", identity: 0 });
    expect(state.opened).toBe(1);
  });

  it("says in words why a code was refused, and lets nobody in", async () => {
    const { page, state } = makePage({ redeem: async () => ({ kind: "refused", detail: "this code was used" }) });
    await page.start("code");
    expect(page.state()).toEqual({ kind: "signedOut", problem: "This code was used.", ways: {} });
    expect(state.opened).toBe(0);
  });

  it("[AU-6] needs no code in development mode", async () => {
    const { page } = makePage({ mode: "development" });
    await page.start(undefined);
    expect(page.state().kind).toBe("open");
  });

  it("opens when a used code comes with a session that is still good", async () => {
    const { page } = makePage({ signedIn: true, redeem: async () => ({ kind: "refused", detail: "used" }) });
    await page.start("code");
    expect(page.state().kind).toBe("open");
  });

  it("[F11] decides once, when it is known who is signed in: no sign-in page and no socket before", async () => {
    let answer = (): void => {};
    const known = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { page, state } = makePage({
      about: async () => {
        await known;
        return { mode: "local", user, version: "0.1.0", store: "sqlite" };
      },
    });
    const shown: string[] = [];
    page.onChange(() => shown.push(page.state().kind));
    const started = page.start(undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([shown, state.opened]).toEqual([["opening"], 0]);
    answer();
    await started;
    expect([shown, state.opened]).toEqual([["opening", "open"], 1]);
  });

  it("does not take a server that fails for one that is signed out", async () => {
    const { page } = makePage({ about: () => Promise.reject(new TypeError("Failed to fetch")) });
    await page.start(undefined);
    expect(page.state()).toMatchObject({ kind: "unreachable", problem: expect.stringContaining("Failed to fetch") });
  });

  it("[OP-5] drops all of the former user's state when another is signed in", async () => {
    const { page, state } = makePage({ signedIn: true });
    await page.start(undefined);
    draftsOf(user).set("thread/t", "secret plan");
    state.identityChanged();
    expect(page.state()).toMatchObject({ kind: "open", identity: 1 });
    expect(draftsOf(user).text("thread/t")).toBe("");
  });

  it("signs in again over an open page: nothing shown is dropped, the session goes on", async () => {
    const { page, session, state } = makePage({ signedIn: true });
    await page.start(undefined);
    const before = page.state();
    await expect(page.signIn("code")).resolves.toBeUndefined();
    expect(page.state()).toBe(before);
    expect(session.reconnects).toBe(1);
    expect(state.opened).toBe(1);
  });

  it("opens with e-mail and password; a link that is sent signs nobody in yet", async () => {
    const { page, state } = makePage();
    await page.start(undefined);
    expect(await page.sendLink("ada@kelp.example", "/")).toBeUndefined();
    expect(page.state().kind).toBe("signedOut");
    expect(await page.signInBy("ada@kelp.example", "secret")).toBeUndefined();
    expect([page.state().kind, state.opened]).toEqual(["open", 1]);
    const refusing = makePage({ withPassword: async () => ({ kind: "refused", detail: "not known" }) });
    await refusing.page.start(undefined);
    expect(await refusing.page.signInBy("eve@kelp.example", "x")).toBe("Not known.");
  });

  it("takes a code that comes while the page is already there", async () => {
    const { page, state } = makePage();
    await page.start(undefined);
    expect(page.state().kind).toBe("signedOut");
    await page.arrive("code");
    expect(page.state().kind).toBe("open");
    await page.arrive("another");
    expect(state.opened).toBe(1);
  });

  it("[O8] forgets drafts with the sign-out", async () => {
    const { page } = makePage({ signedIn: true });
    await page.start(undefined);
    draftsOf(user).set("thread/t", "half a thought");
    await page.signOut();
    expect(page.state().kind).toBe("signedOut");
    expect(draftsOf(user).text("thread/t")).toBe("");
  });

  it("[O8] what waited unsent comes back into no draft: the next person would find it", async () => {
    const { page, session } = makePage({ signedIn: true });
    await page.start(undefined);
    const sends = new SendsStore(session, draftsOf(user));
    const answer = Promise.withResolvers<unknown>();
    session.answer = () => answer.promise;
    const sent = sends.send({ kind: "thread", thread: "thread-1" }, "secret plan");
    await page.signOut();
    answer.reject(new ProtocolError("unavailable", "withdrawn", { details: { reason: "withdrawn" } }));
    expect(await sent).toEqual({ kind: "withdrawn" });
    expect(Object.keys(localStorage)).toEqual([]);
  });

  it("[O8] of somebody who was here before and did not sign out no draft stays, once another is here", async () => {
    const before = { workspace: "default", id: "user-0" };
    draftsOf(before).set("thread/t", "secret plan");
    draftsOf(user).set("thread/t", "my own");
    await makePage({ signedIn: true }).page.start(undefined);
    expect([draftsOf(before).text("thread/t"), draftsOf(user).text("thread/t")]).toEqual(["", "my own"]);
    expect(JSON.stringify(localStorage)).not.toContain("secret plan");
  });

  it("[O8] takes back what waits unsent, and drops what the device keeps, with the sign-out", async () => {
    const { page, session, state } = makePage({ signedIn: true });
    await page.start(undefined);
    session.saved = [savedSend("ticket-1", "rm -rf build")];
    await page.signOut();
    expect(session.withdrawn).toEqual(["ticket-1"]);
    expect(state.forgotten).toEqual(["user-1"]);
    expect(state.told).toBe(1);
  });

  it("[O8] leaves when another tab signs out: nothing read, typed or waiting stays here", async () => {
    const { page, session, state } = makePage({ signedIn: true });
    await page.start(undefined);
    draftsOf(user).set("thread/t", "half a thought");
    session.saved = [savedSend("ticket-1", "rm -rf build")];
    state.otherTabSignsOut();
    expect(page.state().kind).toBe("signedOut");
    expect(draftsOf(user).text("thread/t")).toBe("");
    expect(session.withdrawn).toEqual(["ticket-1"]);
    // It does not tell it on: two tabs would tell each other for ever.
    expect(state.told).toBe(0);
  });
});

describe("a provider's page", () => {
  it("is offered where the server names one, also after a sign-out", async () => {
    const providers = [{ name: "Kelp ID", start: "/auth/kelp/start" }];
    const { page, state } = makePage({
      about: async () => ({
        mode: "local",
        user: state.signedIn ? user : null,
        version: "0.1.0",
        store: "sqlite",
        providers,
      }),
    });
    await page.start(undefined, "The sign-in was cancelled there.");
    expect(page.state()).toEqual({
      kind: "signedOut",
      problem: "The sign-in was cancelled there.",
      ways: { providers },
    });
    await page.start("code");
    await page.signOut();
    expect(page.state()).toEqual({ kind: "signedOut", problem: undefined, ways: { providers } });
  });

  it("says in a sentence why it signed nobody in; the address keeps neither word nor anybody's text", () => {
    window.history.replaceState(null, "", "/?sign-in=denied&x=1#code");
    expect(takeProblemFromAddress(window.location, window.history)).toMatch(/cancelled there/);
    expect(window.location.href).toMatch(/\/\?x=1#code$/);
    window.history.replaceState(null, "", "/?sign-in=<b>pay+here</b>");
    expect(takeProblemFromAddress(window.location, window.history)).toBeUndefined();
    expect(window.location.search).toBe("");
  });
});

describe("sign-in code", () => {
  it("leaves the address before anything else", () => {
    window.history.replaceState({ kept: true }, "", "/threads/t?x=1#secret-code");
    expect(takeCodeFromAddress(window.location, window.history)).toBe("secret-code");
    expect(window.location.href).toMatch(/\/threads\/t\?x=1$/);
    expect(window.history.state).toEqual({ kept: true });
    expect(takeCodeFromAddress(window.location, window.history)).toBeUndefined();
  });

  it("is found in a code and in a whole link, and not in other text", () => {
    expect(codeIn(" abc-123 ")).toBe("abc-123");
    expect(codeIn("http://127.0.0.1:4400/#abc")).toBe("abc");
    expect(codeIn("sign-in http://127.0.0.1:4400/#abc\n")).toBe("abc");
    expect(codeIn("http://127.0.0.1:4400/")).toBeUndefined();
    expect(codeIn("two words")).toBeUndefined();
    expect(codeIn("#")).toBeUndefined();
  });
});
