/** No verdict on one token serves another, however they come (T5). */
import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { openIssuers } from "./issuersWorld.ts";

const verdictsCount = 10_000;
const peopleCount = 20;
const secret = "a secret that is long enough for HS256";
const issuer = "https://id.example.org";

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function signed(claims: object): string {
  const text = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

test("[T5] 10,000 verdicts on the tokens of twenty people, all at once: each is who signed in", async () => {
  await using issuers = await openIssuers({ more: [{ issuer, secret }] });
  const exp = Math.floor(issuers.world.clock.now() / 1_000) + 600;
  const tokens = Array.from({ length: peopleCount }, (_, person) =>
    signed({ iss: issuer, sub: `sub-${person}`, name: `Person ${person}`, exp }),
  );
  // One is forged with the signature of another, and may not be believed for its neighbours' sake.
  const [head, claims] = (tokens[0] ?? "").split(".");
  const forged = `${head}.${claims}.${(tokens[1] ?? "").split(".")[2]}`;
  const verdicts = await Promise.all(
    Array.from({ length: verdictsCount }, async (_, index) => {
      const person = index % (peopleCount + 1);
      const verdict = await issuers.auth.verify({ token: tokens[person] ?? forged, instance: "" });
      return verdict.kind === "accepted" ? verdict.principal.name === `Person ${person}` : person === peopleCount;
    }),
  );
  expect(verdicts.filter((right) => !right)).toEqual([]);
});
