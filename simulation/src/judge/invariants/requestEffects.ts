/**
 * I2 (REL-I7): a request's effect happens at most once; exactly once where it was answered with a result; never where
 * it was refused or withdrawn. And one that must follow another takes effect after it, or not at all (RQ-4).
 *
 * Effects may be observed before their request, since a real run's log is read at the end. A request whose client
 * ended is unknown: 0 or 1 times.
 */
import type { Fail, Invariant } from "../invariant.ts";

interface RequestRecord {
  client: string | undefined;
  after: string | undefined;
  outcome: "result" | "error" | "unknown" | "withdrawn" | undefined;
  /** The place of its effect among all effects; undefined: none yet. */
  effect: number | undefined;
}

export function requestEffects(fail: Fail): Invariant {
  const requests = new Map<string, RequestRecord>();
  const ended = new Set<string>();
  let effects = 0;
  const of = (name: string): RequestRecord => {
    const found = requests.get(name) ?? { client: undefined, after: undefined, outcome: undefined, effect: undefined };
    requests.set(name, found);
    return found;
  };

  function judgeOrder(name: string, request: RequestRecord): void {
    if (request.after === undefined || request.effect === undefined) return;
    const before = requests.get(request.after);
    if (before?.effect !== undefined && before.effect < request.effect) return;
    fail("I2", `request ${name} took effect before ${request.after}, which it must follow`, { harm: "reordered" });
  }

  function judgeOutcome(name: string, { outcome, effect }: RequestRecord): void {
    if (outcome === "result" && effect === undefined) {
      fail("I3", `request ${name} was answered with a result, and its effect is not durable`, { harm: "lost" });
    }
    if ((outcome === "error" || outcome === "withdrawn") && effect !== undefined) {
      fail("REL-I7", `request ${name} ended as ${outcome}, and its effect is there`, { harm: "phantom" });
    }
  }

  return {
    on: {
      requestIssued({ request: name, client, after }) {
        const request = of(name);
        if (request.client !== undefined) fail("I2", `request ${name} was issued twice: its token is its own`);
        request.client = client;
        request.after = after;
        judgeOrder(name, request);
      },
      requestSettled({ request: name, outcome }) {
        const request = of(name);
        if (request.outcome !== undefined) {
          fail("I2", `request ${name} was answered twice: ${request.outcome}, then ${outcome}`, { harm: "repeated" });
        }
        if (request.client === undefined) fail("I2", `request ${name} was answered and never issued`);
        request.outcome = outcome;
        judgeOutcome(name, request);
      },
      effectCommitted({ request: name }) {
        const request = of(name);
        if (request.effect !== undefined) {
          fail("I2", `request ${name} took effect twice`, { harm: "repeated" });
          return;
        }
        effects += 1;
        request.effect = effects;
        if (request.outcome !== "result") judgeOutcome(name, request);
        if (request.client !== undefined) judgeOrder(name, request);
      },
      clientEnded: ({ client }) => void ended.add(client),
    },
    finish(isHealed) {
      for (const [name, { client, outcome }] of requests) {
        if (client === undefined)
          fail("I2", `an effect names request ${name}, which nobody issued`, { harm: "phantom" });
        else if (isHealed && outcome === undefined && !ended.has(client)) {
          fail("I10", `request ${name} of ${client} is still not answered`, { harm: "lost" });
        }
      }
    },
  };
}
