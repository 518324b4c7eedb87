/** What `holdfast doctor` makes of what it has seen: pure judgements, one by one. */
import { describe, expect, it } from "vitest";
import { judgeTls } from "../../src/doctor/certificate.ts";
import { judgeClosing } from "../../src/doctor/closings.ts";
import { lostBetween, makeCoverage, offsetsMax } from "../../src/doctor/coverage.ts";
import { type Finding, lineOf, wrong } from "../../src/doctor/finding.ts";
import { judgeRoundTrips } from "../../src/doctor/roundTrip.ts";
import type { Secured } from "../../src/doctor/shell/reach.ts";
import { doctorTarget } from "../../src/doctor/target.ts";

const textOf = (finding: Finding): string =>
  finding.kind === "sound" ? finding.says : `${finding.says}; ${finding.advice}`;

function target(argv: string[], environment = {}, files: Record<string, string> = {}) {
  return doctorTarget({ argv, environment, readFile: (path) => files[path] });
}

describe("the command line", () => {
  it("reads an address, and a key from flag, file or environment", () => {
    expect(target(["https://fleet.example.org"])).toEqual({
      origin: "https://fleet.example.org",
      host: "fleet.example.org",
      port: 443,
      secure: true,
      key: undefined,
      page: undefined,
      stream: "fleet",
    });
    expect(target(["http://[::1]:4400/"])).toMatchObject({ host: "::1", port: 4400, secure: false });
    expect(target(["https://a"], { HOLDFAST_KEY: "hfk_e" })).toMatchObject({ key: "hfk_e" });
    expect(target(["http://localhost", "--key", " hfk_f "], { HOLDFAST_KEY: "hfk_e" })).toMatchObject({ key: "hfk_f" });
    expect(target(["http://127.0.0.1", "--key-file", "k"], {}, { k: "hfk_g\n" })).toMatchObject({ key: "hfk_g" });
  });

  it.each<[string[], RegExp]>([
    [[], /address is missing/],
    [["127.0.0.1:4400"], /must begin with http:\/\/ or https:\/\//],
    [["ws://127.0.0.1:4400"], /must begin with http/],
    [["http://a", "b"], /one word too many/],
    [["http://me:hunter2@a"], /a user or a password/],
    [["http://a/#SECRET"], /more behind http:\/\/a;/],
    [["http://a/?token=SECRET"], /more behind http:\/\/a;/],
    [["http://a", "--origin", "example.org"], /--origin is "example\.org"/],
    [["http://a", "--origin", "https://example.org/page"], /--origin is/],
    [["http://a", "--stream", "no stream"], /--stream is "no stream"/],
    [["http://a", "--key", " "], /The key of --key is empty/],
    [["http://a", "--key", "SECRET of mine"], /no API key and no token/],
    [["http://a", "--key", "SECRET", "--key-file", "k"], /both given/],
    [["http://a", "--key-file", "none"], /--key-file "none" is not there/],
    [["http://a", "--key-file", "k"], /would go to http:\/\/a in the clear; begin the address with https/],
    [["http://127.0.0.1.example.org", "--key", "SECRET"], /in the clear/],
    [["http://a", "--frobnicate"], /"--frobnicate"/],
  ])("%j is refused in one sentence that shows no secret", (argv, sentence) => {
    const refused = target(argv, {}, { k: "SECRET" });
    const problem = "problem" in refused ? refused.problem : "";
    expect(problem).toMatch(sentence);
    expect(problem).toMatch(/^[^\n]*\.$/);
    expect(problem).not.toMatch(/SECRET|hunter2/);
  });
});

describe("a certificate", () => {
  const now = Date.parse("2026-06-01T00:00:00Z");
  const place = {
    origin: "https://a",
    host: "a",
    port: 443,
    secure: true,
    key: undefined,
    page: undefined,
    stream: "s",
  };
  const good: Secured = {
    kind: "secured",
    version: "TLSv1.3",
    issuer: "Some CA",
    validTo: "Sep  1 00:00:00 2026 GMT",
    distrust: undefined,
  };

  it("says until when it is good, and where that is soon, how soon", () => {
    expect(textOf(judgeTls(good, place, now))).toBe(
      'TLSv1.3, certificate for a by "Some CA", until "Sep  1 00:00:00 2026 GMT"',
    );
    expect(textOf(judgeTls({ ...good, validTo: "Jun  4 00:00:00 2026 GMT" }, place, now))).toContain(
      "only 3 days left",
    );
  });

  it.each<[string, RegExp]>([
    ["CERT_HAS_EXPIRED", /has expired \("Sep {2}1 .*; renew it/],
    ["CERT_NOT_YET_VALID", /not valid yet; set this machine's clock/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /for another name than a;/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /vouches.*UNABLE_TO_VERIFY.*whole chain/],
  ])("%s is wrong", (distrust, sentence) => {
    const finding = judgeTls({ ...good, distrust }, place, now);
    expect(finding.kind).toBe("wrong");
    expect(textOf(finding)).toMatch(sentence);
  });
});

describe("an end of the connection", () => {
  it.each<[number, string, boolean, RegExp]>([
    [4401, "", false, /nobody is signed in; pass an API key/],
    [4401, "The token has expired; sign in again.", true, /token has expired .*fresh one/],
    [4401, "The API key does not hold: signature.", true, /does not accept the key/],
    [4403, "The API key was revoked.", true, /may not connect .*ask an admin/],
    [4400, "unsupported_protocol: 1 is not in 2…2", true, /doctor of the server's own version/],
    [4429, "", true, /too many connections/],
    [4503, "", true, /busy or away/],
    [1012, "", true, /just being stopped/],
    [1011, "", true, /fault of the server/],
    [1006, "", true, /was cut.*proxies/],
    [4999, "who knows", true, /closed with 4999 \("who knows"\)/],
  ])("%i %j (key: %s) is said in words", (code, reason, hasKey, sentence) => {
    const finding = judgeClosing({ kind: "over", code, reason }, hasKey);
    expect(finding.kind).toBe("wrong");
    expect(textOf(finding)).toMatch(sentence);
  });
});

describe("what was delivered", () => {
  it("[I1] counts what one reader was given and the other was not, and what came again", () => {
    const [all, some] = [makeCoverage(10), makeCoverage(10)];
    all.add(11, 15);
    // 16 and 17 are removed: nobody is given them.
    all.add(18, 18);
    some.add(11, 12);
    some.add(14, 14);
    some.add(14, 14);
    some.add(18, 18);
    expect(lostBetween(all, some, 10, 18)).toBe(2);
    expect(lostBetween(all, some, 10, 14)).toBe(1);
    expect(some.repeated).toBe(1);
    expect(lostBetween(all, all, 10, 18)).toBe(0);
  });

  it("looks at so many offsets and no more, whatever a server says", () => {
    const coverage = makeCoverage(0);
    const begun = performance.now();
    for (let times = 0; times < 10_000; times += 1) coverage.add(1, Number.MAX_SAFE_INTEGER);
    expect(coverage.size).toBe(offsetsMax);
    expect(coverage.repeated).toBe(offsetsMax);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it("judges a link by the median of its pings", () => {
    expect(judgeRoundTrips([1, 2, 3, 4, 900])).toMatchObject({
      kind: "sound",
      says: "5 pings, median 3.0 ms, worst 900 ms",
    });
    expect(judgeRoundTrips([400, 500, 501, 600, 700])).toMatchObject({ kind: "doubtful" });
    expect(judgeRoundTrips([400, 499, 500, 600, 700])).toMatchObject({ kind: "sound" });
  });
});

describe("a line", () => {
  it("has no control character, no key and an end, whatever is in it", () => {
    const line = lineOf("hello", wrong(`a\u001b[31m\n\u202eb my-secret ${"x".repeat(5_000)}`, "do"), "my-secret");
    expect(line).toMatch(/^hello +wrong +a \[31m b \[masked\] x+…\n$/);
    expect(line.length).toBeLessThan(1_010);
  });
});
