/**
 * I3 (REL-I1, REL-I6, REL-I8): what was acknowledged to its producer is in the log; each of its events at most once,
 * in its order; and one that was produced after another was acknowledged stands behind it.
 *
 * Commits may be observed before or after `produced`, since a real run's log is read at the end: whichever comes
 * second is compared. A producer that ended leaves what was not settled unknown: 0 or 1 times.
 */
import type { Fail, Invariant } from "../invariant.ts";
import type { Logs } from "../logs.ts";
import type { Observed } from "../observation.ts";

interface ProducerRecord {
  readonly name: string;
  workspace: string;
  stream: string;
  /** Sequence → what was produced; `behind`: the offset that it must stand behind. */
  readonly produced: Map<number, { readonly content: string; readonly behind: number; readonly epoch: string }>;
  readonly committed: Map<number, { readonly offset: number; readonly content: string; readonly epoch: string }>;
  readonly settled: Map<number, "durable" | "rejected">;
  lastProduced: number;
  lastCommitted: number;
  hasEnded: boolean;
}

export function producersEvents(logs: Logs, fail: Fail): Invariant {
  const producers = new Map<string, ProducerRecord>();
  /** The highest offset that was acknowledged, by log. */
  const acknowledged = new Map<unknown, { readonly epoch: string; readonly offset: number }>();
  const of = (name: string): ProducerRecord => {
    const found = producers.get(name) ?? makeRecord(name);
    producers.set(name, found);
    return found;
  };

  function compare(producer: ProducerRecord, sequence: number): void {
    const produced = producer.produced.get(sequence);
    const committed = producer.committed.get(sequence);
    if (produced === undefined || committed === undefined) return;
    const name = `${producer.name}'s event ${sequence}`;
    if (produced.content !== committed.content) {
      fail("I3", `${name} is in the log at ${committed.offset} with another content`, {
        harm: "phantom",
        context: { produced: produced.content, committed: committed.content },
      });
    }
    if (produced.epoch === committed.epoch && committed.offset <= produced.behind) {
      fail("REL-I8", `${name} stands at ${committed.offset}, but ${produced.behind} was acknowledged before it was`, {
        harm: "reordered",
      });
    }
  }

  function committed(observation: Observed<"committed">): void {
    const { origin, offset, content, epoch } = observation;
    if (origin === undefined) return;
    const producer = of(origin.producer);
    const { sequence } = origin;
    const before = producer.committed.get(sequence);
    if (before !== undefined) {
      fail("REL-I6", `${producer.name}'s event ${sequence} is in the log twice, at ${before.offset} and ${offset}`, {
        harm: "repeated",
      });
    } else if (sequence < producer.lastCommitted) {
      fail("REL-I6", `${producer.name}'s event ${sequence} stands behind its event ${producer.lastCommitted}`, {
        harm: "reordered",
      });
    }
    if (producer.settled.get(sequence) === "rejected") {
      fail("REL-I7", `${producer.name}'s event ${sequence} was rejected and is in the log at ${offset}`, {
        harm: "phantom",
      });
    }
    producer.committed.set(sequence, { offset, content, epoch });
    producer.lastCommitted = Math.max(producer.lastCommitted, sequence);
    compare(producer, sequence);
  }

  function settled({ producer: name, sequence, outcome }: Observed<"publishSettled">): void {
    const producer = of(name);
    const found = producer.committed.get(sequence);
    if (!producer.produced.has(sequence)) fail("I3", `${name} was answered event ${sequence}, which it never produced`);
    producer.settled.set(sequence, outcome);
    if (outcome === "rejected") {
      if (found !== undefined) {
        fail("REL-I7", `${name}'s event ${sequence} was rejected and is in the log at ${found.offset}`, {
          harm: "phantom",
        });
      }
      return;
    }
    if (found === undefined) {
      fail("I3", `${name}'s event ${sequence} was acknowledged and is not in the log`, { harm: "lost" });
      return;
    }
    const log = logs.of(producer.workspace, producer.stream);
    const last = acknowledged.get(log);
    if (last === undefined || last.epoch !== found.epoch || last.offset < found.offset) acknowledged.set(log, found);
  }

  return {
    on: {
      committed,
      publishSettled: settled,
      produced({ producer: name, workspace, stream, sequence, content }) {
        const producer = of(name);
        if (sequence !== producer.lastProduced + 1) {
          fail("I3", `${name} produced event ${sequence} after ${producer.lastProduced}: the history has a hole`);
        }
        producer.workspace = workspace;
        producer.stream = stream;
        producer.lastProduced = sequence;
        const last = acknowledged.get(logs.of(workspace, stream));
        producer.produced.set(sequence, { content, behind: last?.offset ?? 0, epoch: last?.epoch ?? "" });
        compare(producer, sequence);
      },
      producerEnded({ producer }) {
        of(producer).hasEnded = true;
      },
      rolledBack({ workspace, stream, head }) {
        // What the rollback took may come again: its producers still hold it, or know that it is lost.
        for (const producer of producers.values()) {
          if (producer.workspace !== workspace || producer.stream !== stream) continue;
          producer.lastCommitted = 0;
          for (const [sequence, { offset }] of producer.committed) {
            if (offset > head) {
              producer.committed.delete(sequence);
              // Acknowledged, and taken by the rollback: nobody will bring it again, and nobody is to blame.
              if (producer.settled.has(sequence)) producer.produced.delete(sequence);
            } else producer.lastCommitted = Math.max(producer.lastCommitted, sequence);
          }
        }
        acknowledged.delete(logs.of(workspace, stream));
      },
    },
    finish(isHealed) {
      for (const producer of producers.values()) finishProducer(producer, isHealed, fail);
    },
  };
}

function makeRecord(name: string): ProducerRecord {
  return {
    name,
    workspace: "",
    stream: "",
    produced: new Map(),
    committed: new Map(),
    settled: new Map(),
    lastProduced: 0,
    lastCommitted: 0,
    hasEnded: false,
  };
}

function finishProducer(producer: ProducerRecord, isHealed: boolean, fail: Fail): void {
  const { name, committed, produced, settled } = producer;
  for (const sequence of committed.keys()) {
    if (!produced.has(sequence)) fail("I3", `${name} never produced its event ${sequence}`, { harm: "phantom" });
  }
  for (const sequence of produced.keys()) {
    if (committed.has(sequence) || settled.get(sequence) === "rejected") continue;
    if (sequence < producer.lastCommitted) {
      fail("I3", `${name}'s event ${sequence} is missing before its event ${producer.lastCommitted}`, { harm: "lost" });
    } else if (isHealed && !producer.hasEnded) {
      fail("I10", `${name}'s event ${sequence} is still not decided`, { harm: "lost" });
    }
  }
}
