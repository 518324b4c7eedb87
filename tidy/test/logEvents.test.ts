/**
 * The handbook's page of log events is what the programs write.
 *
 * Seen red: by an event of another name in a source, and by the three planted below.
 */
import { expect, test } from "vitest";
import { eventsWithoutCaught, logEvents, logPage } from "../src/logEvents.ts";
import { fileAt, isCode, readRepository } from "../src/repository.ts";

const files = readRepository();
const programs = files.filter(
  (file) => isCode(file) && /^packages\/(server|control|agent|holdfast)\/src\//.test(file.path),
);

test("docs/logs.md has every event with its levels and fields; `npm run handbook` writes it anew", async () => {
  const page = logPage(logEvents(programs), fileAt(files, "docs/logs.md").text);
  await expect(page).toMatchFileSnapshot("../../docs/logs.md");
});

test("[F03] what was caught is told as an error, with its stack and causes", () => {
  expect(eventsWithoutCaught(programs)).toEqual([]);
});

test("planted: an error that is told as text", () => {
  const text = `
    try { a(); } catch (error) { log.warn("a.b", { problem: error.message }); }
    try { a(); } catch (error) { if (b) log.warn("c.d", { ...b, error }); }
    try { a(); } catch { log.info("e.f"); }
  `;
  expect(eventsWithoutCaught([{ path: "planted.ts", text }])).toEqual(["planted.ts a.b"]);
});

const planted = (text: string) => logEvents([{ path: "planted.ts", text }]);

test("planted: levels and fields are found, through spreads and conditions", () => {
  const text = `
    context.log.warn("a.b", { one: 1, ...(two && { two }), ...place });
    log.error("a.b", cond ? { three } : { four: 4 });
    other.warn("no.event", {});
    log.info(name, {});
  `;
  expect(planted(text)).toEqual([
    { name: "a.b", levels: ["error", "warn"], fields: ["four", "one", "three", "two", "…"] },
  ]);
});

test("planted: an event without a meaning and a meaning without an event are said by name", () => {
  const events = planted('log.info("a.b", {});');
  expect(() => logPage(events, "")).toThrow("a.b");
  expect(() => logPage(events, "| `a.b` | info | It is. |  |\n| `c.d` | info | It was. |  |\n")).toThrow("c.d");
  expect(logPage(events, "| `a.b` | - | It is. | - |\n")).toContain("| `a.b` | info | It is. |  |");
});
