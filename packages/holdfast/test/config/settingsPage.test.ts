/** The handbook's page of settings is the table's. */
import { expect, it } from "vitest";
import { fields } from "../../src/config/fields.ts";
import { settingsPage } from "../support/settingsPage.ts";

it("docs/configure.md says what the table says; `npm run handbook` writes it anew", async () => {
  await expect(settingsPage()).toMatchFileSnapshot("../../../../docs/configure.md");
});

it("every setting stands in it, once", () => {
  const rows = settingsPage().match(/^\| `[^`]+`/gm) ?? [];
  expect(rows.toSorted()).toEqual(fields.map(({ path }) => `| \`${path}\``).toSorted());
});

it("planted: a setting that belongs nowhere is said by its name", () => {
  const [first] = fields;
  if (first === undefined) throw new Error("there are no settings");
  expect(() => settingsPage([{ ...first, path: "weather.kind" }])).toThrow("weather.kind");
});
