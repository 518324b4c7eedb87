/**
 * What is shipped for Prometheus and Grafana asks for metrics that exist.
 *
 * Seen red: with a metric renamed, and with the rule of an alert taken out.
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { alertIds } from "../../src/observe/alertRules.ts";
import { createMetrics } from "../../src/observe/metrics.ts";

const folder = new URL("../../../../deploy/monitoring/", import.meta.url);

it.each(["alerts.rules.yml", "grafana-dashboard.json"])("%s names only metrics that /metrics has", async (file) => {
  const metrics = createMetrics({ version: "test", dashboardNames: false });
  const text = await metrics.text();
  metrics.stop();
  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = readFileSync(new URL(file, folder), "utf8").matchAll(/\b(?:holdfast|process)_[a-z_0-9]+/g);
  const names = [...new Set([...asked].map(([name]) => name.replace(/_bucket$/, "")))];
  expect(names.length).toBeGreaterThan(4);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

it("Prometheus has a rule for each alert of a server, by its id", () => {
  const rules = readFileSync(new URL("alerts.rules.yml", folder), "utf8");
  const ids = [...rules.matchAll(/alert_id: (\w+)/g)].map(([, id]) => id);
  expect(ids.filter((id) => id !== "absent").sort()).toEqual(alertIds.toSorted());
});
