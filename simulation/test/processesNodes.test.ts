/** Two servers on one PostgreSQL under real processes: no notices, a rolling restart, a kill; nothing is lost or repeated. */
import { describe, expect, test } from "vitest";
import { runNodes } from "../src/processes/nodes.ts";
import { describeNodes, harmOfNodes } from "../src/processes/nodesReport.ts";

const testMsMax = 400_000;

describe("two servers on one database, behind a balancer", () => {
  test(
    "[ST-14][F58] without notices, restarted in turn, one killed with SIGKILL: all read all, once, and every command ends",
    async () => {
      const report = await runNodes({ clients: 30, agents: 2, senders: 1, phaseMs: 4_000, say: () => {} });
      // How long it took is the machine's, which runs other tests too: `npm run proof:nodes` judges that.
      process.stdout.write(`${describeNodes(report).join("\n")}\n`);
      expect(harmOfNodes(report)).toEqual([]);
      expect(report.judged.deliveries).toBeGreaterThan(100);
      // The kill took effect: of the one that held most of them nobody is left. How many the other one had already is chance.
      expect(Math.max(...report.heldBeforeKill)).toBeGreaterThanOrEqual(15);
      expect(Math.min(...report.heldAfterKill)).toBe(0);
    },
    testMsMax,
  );
});
