/** Whose request it is: proxies are believed, strangers are not (W8). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientAddress, proxiesOf } from "../../src/auth/clientAddress.ts";

const isProxy = proxiesOf(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
const forwarded = (...values: string[]): string[] => values.flatMap((value) => ["X-Forwarded-For", value]);

describe("the address of a client", () => {
  it.each<[string, string | undefined, readonly string[], string]>([
    ["a stranger is who it is, whatever it says", "203.0.113.9", forwarded("198.51.100.1"), "203.0.113.9"],
    ["a proxy names who came to it", "10.1.2.3", forwarded("198.51.100.1"), "198.51.100.1"],
    ["the nearest proxy wrote last", "10.1.2.3", forwarded("6.6.6.6, 198.51.100.1"), "198.51.100.1"],
    ["a chain of our proxies is followed", "10.1.2.3", forwarded("6.6.6.6, 198.51.100.1, 192.0.2.7"), "198.51.100.1"],
    ["several headers are one list", "10.1.2.3", forwarded("6.6.6.6", "198.51.100.1"), "198.51.100.1"],
    ["IPv6, in and through", "2001:db8::1", forwarded("2001:4860::8"), "2001:4860::8"],
    ["IPv4 as a part of IPv6", "::ffff:10.1.2.3", forwarded("::ffff:198.51.100.1"), "198.51.100.1"],
    ["a proxy that names the port, too", "10.1.2.3", forwarded("198.51.100.1:50412"), "198.51.100.1"],
    ["the same of IPv6", "10.1.2.3", forwarded("[2001:4860::8]:50412"), "2001:4860::8"],
    ["IPv6 in brackets", "10.1.2.3", forwarded("[2001:4860::8]"), "2001:4860::8"],
    ["a chain of them", "10.1.2.3", forwarded("198.51.100.1:1, 192.0.2.7:2"), "198.51.100.1"],
    ["what is no port", "10.1.2.3", forwarded("198.51.100.1:123456"), "10.1.2.3"],
    ["a proxy that names nobody is the client", "10.1.2.3", [], "10.1.2.3"],
    ["a proxy that names nonsense is the client", "10.1.2.3", forwarded("<script>"), "10.1.2.3"],
    ["no other header counts", "10.1.2.3", ["Forwarded", "for=6.6.6.6", "X-Real-IP", "6.6.6.6"], "10.1.2.3"],
    ["a socket that is gone", undefined, forwarded("198.51.100.1"), "unknown"],
  ])("[W8] %s", (_title, peer, headers, expected) => {
    expect(clientAddress(peer, headers, isProxy)).toBe(expected);
  });

  it("[W8] without configured proxies nothing changes it", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), (peer, values) => {
        expect(clientAddress(peer, forwarded(...values), proxiesOf([]))).toBe(peer);
      }),
    );
  });

  it("[W8] what a stranger puts before what our proxy wrote never counts", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.string())), (lies) => {
        const header = [...lies.map((lie) => lie.replaceAll(",", "")), "198.51.100.1"].join(", ");
        expect(clientAddress("10.1.2.3", forwarded(header), isProxy)).toBe("198.51.100.1");
      }),
    );
  });

  it("a list of hops is read to a bound", () => {
    const header = Array.from({ length: 1_000 }, () => "10.0.0.1").join(",");
    expect(clientAddress("10.1.2.3", forwarded(`6.6.6.6,${header}`), isProxy)).toBe("10.0.0.1");
  });

  it.each(["proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "::1/129", "", "10.0.0"])(
    "%j is no proxy's address",
    (entry) => {
      expect(() => proxiesOf([entry])).toThrow(`trustProxies: ${JSON.stringify(entry)} is no address`);
    },
  );
});
