/**
 * Hostile bytes from a seed: valid messages, mutated on three levels (value, text, frame), and plain noise.
 *
 * The same seed gives the same bytes. Every text it makes up contains {@link canary}, so that a log line that
 * repeats a frame's content is found.
 */
import { uuidv7 } from "@holdfast/protocol";
import { closeFrame, frame, opcodes, textFrame } from "./rawFrame.ts";

export const canary = "CANARY";
const uuid = "0190a0a0-0000-4000-8000-000000000000";

export interface Chance {
  /** 0…below - 1. */
  int(below: number): number;
  pick<Value>(values: readonly Value[]): Value;
  bytes(count: number): Buffer;
}

/** Mulberry32: small, and good enough to choose mutations. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const int = (below: number): number => next() % below;
  return {
    int,
    pick: (values) => values[int(values.length)] as never,
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => next() & 0xff)),
  };
}

const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

const strange: readonly ((chance: Chance) => unknown)[] = [
  () => null,
  () => -1,
  () => 0.1,
  () => 2 ** 53,
  () => 1e300,
  () => "",
  () => canary.repeat(40),
  () => `${canary}\u001b[31m\n{"level":60}\r`,
  () => "\ud800",
  () => "__proto__",
  () => "constructor",
  () => ["toString"],
  () => ({ __proto__: null, polluted: true }),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  () => nested(50),
  () => nested(2_000),
  () => true,
  () => uuid,
  (chance) => chance.bytes(20).toString("latin1"),
];

/** One of each message, sound; `id`s are fresh so that some have an effect. */
function soundMessages(chance: Chance, now: number): Record<string, unknown>[] {
  const id = uuidv7(now, chance.bytes(10));
  return [
    { type: "ping", n: chance.int(100), visible: true },
    {
      type: "subscribe",
      stream: chance.pick(["notes", "log/a", "large/1", "inbox/x", "none"]),
      sub: chance.int(1e6),
      from: chance.pick(["start", "latest"]),
    },
    { type: "subscribe", stream: "notes", sub: chance.int(1e6), from: { epoch: "e", offset: chance.int(10) } },
    { type: "unsubscribe", stream: chance.pick(["notes", "log/a"]) },
    {
      type: "request",
      id,
      method: chance.pick(["answer.strange", "note.list", "fail.now", "fail.later", "echo.effect", "none"]),
      params: { text: canary },
    },
    {
      type: "publish",
      stream: "log/a",
      producer: uuid,
      sequence: chance.int(4),
      events: [
        { event: "e", data: canary },
        { event: "poison", data: 1 },
      ],
    },
    { type: "ack", stream: "inbox/x", epoch: "e", offset: 1 },
    { type: "signal", stream: "notes", signal: "typing", data: canary },
    { type: "auth", token: canary },
    { type: "leave" },
    { type: "hello", protocol: 1, instance: uuid, attempt: 1, client: { name: canary, version: "1" }, visible: true },
  ];
}

/** Changes one place somewhere in a value. */
function mutate(chance: Chance, value: unknown): unknown {
  if (typeof value !== "object" || value === null || chance.int(4) === 0) return chance.pick(strange)(chance);
  if (Array.isArray(value)) {
    const copy = [...(value as unknown[])];
    const at = chance.int(copy.length + 1);
    if (chance.int(3) === 0) copy.splice(at, 1);
    else copy[at] = mutate(chance, copy[at]);
    return copy;
  }
  const entries = Object.entries(value);
  const at = chance.int(entries.length + 1);
  const [name, member] = entries[at] ?? [canary, null];
  if (chance.int(4) === 0) entries.splice(at, 1);
  else entries[at] = [chance.int(6) === 0 ? "__proto__" : name, mutate(chance, member)];
  return Object.fromEntries(entries);
}

function mutateText(chance: Chance, text: string): string {
  const at = chance.int(text.length + 1);
  const insert = chance.pick(["", '"', "{", "[", ",", "\\u0000", "1e999", "\u2028", canary, "}]", "-"]);
  return text.slice(0, at) + insert + text.slice(at + chance.int(4));
}

/** The bytes of about one frame. */
export function hostileFrame(chance: Chance, now: number): Buffer {
  const kind = chance.int(20);
  const messages = Array.from({ length: 1 + chance.int(3) }, () => chance.pick(soundMessages(chance, now)) as unknown);
  if (kind < 5) return textFrame(JSON.stringify(messages));
  if (kind < 14) return textFrame(JSON.stringify(messages.map((message) => mutate(chance, message))));
  if (kind < 16) return textFrame(mutateText(chance, JSON.stringify(messages)));
  if (kind === 16) {
    const text = JSON.stringify(messages);
    const cut = chance.int(text.length);
    return Buffer.concat([
      frame({ fin: false, payload: text.slice(0, cut) }),
      frame({ opcode: opcodes.ping, payload: canary }),
      frame({ opcode: opcodes.continuation, payload: text.slice(cut) }),
    ]);
  }
  if (kind === 17)
    return chance.pick([closeFrame(chance.int(5_000), canary), frame({ opcode: chance.int(16), payload: canary })]);
  if (kind === 18) {
    const shape = {
      fin: chance.int(2) === 0,
      reserved: chance.int(2),
      masked: chance.int(4) > 0,
      opcode: chance.int(3),
    };
    return frame({ ...shape, payload: chance.bytes(chance.int(200)) });
  }
  return chance.bytes(1 + chance.int(100));
}
