/**
 * What a program publishes: a producer for each stream, each event counted and told to the judge before it goes out.
 *
 * Life: made with a program's session → ended with it, after which what was not decided is unknown. A program whose
 * buffer is full waits (PB-4), as its source would: what it would have said then, it does not say.
 */
import { poisonEvent } from "../world/app.ts";
import type { Surroundings } from "../world/surroundings.ts";
import type { PublisherSession } from "./sessions.ts";

interface OwnProducer {
  readonly name: string;
  readonly face: ReturnType<PublisherSession["producer"]>;
  sequence: number;
}

export class Producers {
  private readonly world: Surroundings;
  private readonly session: Pick<PublisherSession, "producer">;
  private readonly client: string;
  private readonly workspace: string;
  private readonly byStream = new Map<string, OwnProducer>();

  constructor(world: Surroundings, session: Pick<PublisherSession, "producer">, client: string, workspace: string) {
    this.world = world;
    this.session = session;
    this.client = client;
    this.workspace = workspace;
  }

  /** Bytes that are not decided. */
  get undecidedBytes(): number {
    return [...this.byStream.values()].reduce((sum, { face }) => sum + face.pendingBytes, 0);
  }

  /** `poisonAt`: which of them is poison, from 0. */
  publish(stream: string, count: number, poisonAt: number | undefined, padBytes = 0): void {
    const producer = this.of(stream);
    if (!producer.face.accepting) return;
    for (let index = 0; index < count; index += 1)
      if (index === poisonAt) this.poison(producer);
      else this.say(producer, stream, padBytes);
  }

  end(): void {
    const { world } = this;
    for (const { name } of this.byStream.values())
      world.observe({ kind: "producerEnded", at: world.scheduler.now, producer: name });
    this.byStream.clear();
  }

  private poison({ name, face, sequence }: OwnProducer): void {
    face.publish({ event: poisonEvent, data: {} }).then(
      // Whether its refusal is ever heard is not judged; that it is never told as taken is.
      (rejection) => rejection ?? this.settled(`${name} (poison)`, sequence, "durable"),
      () => {},
    );
  }

  private say(producer: OwnProducer, stream: string, padBytes: number): void {
    const { world, workspace } = this;
    producer.sequence += 1;
    const { name, sequence } = producer;
    const content = `[${name}#${sequence}]`;
    const pad = padBytes === 0 ? {} : { x: "x".repeat(padBytes) };
    const data = { w: workspace, p: name, n: sequence, t: content, ...pad };
    const at = world.scheduler.now;
    world.observe({ kind: "produced", at, producer: name, workspace, stream, sequence, content });
    producer.face.publish({ event: "line", data }).then(
      (rejection) => this.settled(name, sequence, rejection === null ? "durable" : "rejected"),
      () => world.observe({ kind: "producerEnded", at: world.scheduler.now, producer: name }),
    );
  }

  private settled(producer: string, sequence: number, outcome: "durable" | "rejected"): void {
    const { world } = this;
    world.observe({ kind: "publishSettled", at: world.scheduler.now, producer, sequence, outcome });
  }

  private of(stream: string): OwnProducer {
    const known = this.byStream.get(stream);
    if (known !== undefined) return known;
    const producer = { name: `${this.client}>${stream}`, face: this.session.producer(stream), sequence: 0 };
    this.byStream.set(stream, producer);
    return producer;
  }
}
