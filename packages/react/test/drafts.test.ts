/**
 * Drafts of several people in several tabs, over a storage that the test plays.
 *
 * Seen red: another tab's text taken while somebody types; taken by nobody; another person's key read; bounds without an end;
 * a closed one that keeps; what was typed lost with the window's blur; a forgotten one of somebody else left behind.
 */
import { describe, expect, it } from "vitest";
import {
  type DraftStorage,
  type Drafts,
  draftCharsMax,
  draftsCharsMax,
  draftsMax,
  forgetDrafts,
  makeDrafts,
} from "../src/drafts/drafts.ts";

/** One browser: its storage, and its tabs, of which one has the focus. */
function browser() {
  const kept = new Map<string, string>();
  const tabs: { heard?: Parameters<DraftStorage["listen"]>[0]; focused: boolean }[] = [];
  const clock = { now: 1 };
  const tab = (person: string) => {
    const self: (typeof tabs)[number] = { focused: false };
    tabs.push(self);
    const tell = (key: string): void => {
      for (const other of tabs) if (other !== self) other.heard?.changed(key);
    };
    const storage: DraftStorage = {
      keys: () => [...kept.keys()],
      read: (key) => kept.get(key),
      write: (key, value) => {
        kept.set(key, value);
        tell(key);
      },
      remove: (key) => {
        if (kept.delete(key)) tell(key);
      },
      now: () => clock.now++,
      isFocused: () => self.focused,
      listen: (heard) => {
        self.heard = heard;
        return () => delete self.heard;
      },
    };
    const drafts = makeDrafts(person, storage);
    const stop = drafts.onChange(() => {});
    const focus = (): void => {
      for (const other of tabs) {
        if (other.focused && other !== self) other.heard?.left();
        other.focused = other === self;
      }
    };
    return { drafts, storage, focus, stop, self };
  };
  return { kept, tab };
}

const shown = (...all: { readonly drafts: Drafts }[]): string[] => all.map(({ drafts }) => drafts.text("thread/t"));

describe("drafts", () => {
  it("[F69] are kept when the page goes, by place, until they are emptied", () => {
    const { kept, tab } = browser();
    const { drafts } = tab("ada");
    drafts.set("thread/t", "half a");
    drafts.set("agent/a", "another");
    const later = tab("ada");
    expect([later.drafts.text("thread/t"), later.drafts.text("agent/a"), later.drafts.text("thread/u")]).toEqual([
      "half a",
      "another",
      "",
    ]);
    later.drafts.set("thread/t", "");
    later.drafts.set("agent/a", "");
    expect(kept.size).toBe(0);
  });

  it("are in step between tabs, and what is sent in one is gone in all", () => {
    const { tab } = browser();
    const [one, two] = [tab("ada"), tab("ada")];
    one.focus();
    one.drafts.set("thread/t", "a");
    one.drafts.set("thread/t", "ab");
    expect(shown(one, two)).toEqual(["ab", "ab"]);
    two.focus();
    two.drafts.set("thread/t", "abc");
    expect(shown(one, two)).toEqual(["abc", "abc"]);
    two.drafts.set("thread/t", "");
    expect(shown(one, two)).toEqual(["", ""]);
  });

  it("never replace what a person is typing: the last writer wins, and nothing typed is lost with the focus", () => {
    const { tab } = browser();
    const [one, two] = [tab("ada"), tab("ada")];
    one.focus();
    one.drafts.set("thread/t", "typed here");
    // The other tab's send was refused, say, and its text comes back.
    two.drafts.set("thread/t", "from elsewhere");
    expect(shown(one)).toEqual(["typed here"]);
    one.drafts.set("thread/t", "typed here, on");
    expect(shown(one, two)).toEqual(["typed here, on", "typed here, on"]);
    two.drafts.set("thread/t", "again");
    two.focus();
    expect(shown(one, two, tab("ada"))).toEqual(["typed here, on", "typed here, on", "typed here, on"]);
  });

  it("[I7] are one person's: no other reads them, and a sign-out leaves none", () => {
    const { kept, tab } = browser();
    const ada = tab("default ada");
    ada.drafts.set("thread/t", "secret plan");
    for (const person of ["default ad", "default ada/thread", "default adam", ""])
      expect(tab(person).drafts.text("thread/t")).toBe("");
    expect(tab("default adathread").drafts.text("/t")).toBe("");
    forgetDrafts(ada.storage, "default ad");
    expect(kept.size).toBe(0);
    ada.drafts.set("thread/t", "secret plan");
    tab("default grace").drafts.set("thread/t", "hers");
    forgetDrafts(ada.storage, "default grace");
    expect([...kept.values()].map((text) => JSON.parse(text).text)).toEqual(["hers"]);
    forgetDrafts(ada.storage);
    expect(kept.size).toBe(0);
  });

  it("[O8] a closed one keeps nothing, whoever still writes", () => {
    const { kept, tab } = browser();
    const { drafts, self } = tab("ada");
    drafts.close();
    drafts.set("thread/t", "too late");
    expect([kept.size, drafts.text("thread/t"), self.heard]).toEqual([0, "", undefined]);
  });

  it("are bounded: the oldest go first, and what is too long lives with its page", () => {
    const { kept, tab } = browser();
    const { drafts } = tab("ada");
    for (let n = 0; n <= draftsMax; n += 1) drafts.set(`thread/${n}`, `draft ${n}`);
    expect([kept.size, drafts.text("thread/0"), drafts.text("thread/1")]).toEqual([draftsMax, "", "draft 1"]);
    for (let n = 0; n < 6; n += 1) drafts.set(`long/${n}`, "x".repeat(draftCharsMax));
    const chars = [...kept.values()].reduce((sum, text) => sum + JSON.parse(text).text.length, 0);
    expect(chars).toBe(draftsCharsMax);
    expect([drafts.text("long/0"), drafts.text("long/1").length]).toEqual(["", draftCharsMax]);
    drafts.set("long/5", "y".repeat(draftCharsMax + 1));
    expect(drafts.text("long/5")[0]).toBe("y");
    expect(tab("ada").drafts.text("long/5")[0]).toBe("x");
  });

  it("are read again as they are, whatever a storage holds", () => {
    const { kept, tab } = browser();
    const { drafts } = tab("ada");
    drafts.set("thread/t", "fine");
    const [key = ""] = kept.keys();
    for (const nonsense of ["", "null", "{}", '{"text":1,"at":1}', '{"text":"x"}', "{"]) {
      kept.set(key, nonsense);
      expect(tab("ada").drafts.text("thread/t")).toBe("");
    }
  });

  it("[F18] let go of the storage with their last listener, and read anew with the next", () => {
    const { tab } = browser();
    const [one, two] = [tab("ada"), tab("ada")];
    one.stop();
    expect(one.self.heard).toBeUndefined();
    two.drafts.set("thread/t", "meanwhile");
    expect(shown(one)).toEqual([""]);
    one.drafts.onChange(() => {});
    expect(shown(one)).toEqual(["meanwhile"]);
  });
});
