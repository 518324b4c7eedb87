/** An app's declaration: what it leaves out is filled in, and what it says is typed without a cast. */
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { definePlugin, type MethodsOf } from "../src/define.ts";
import { ada, uuidAt } from "./support/principals.ts";
import { accepted, createWorld } from "./support/world.ts";

interface Tables {
  words: { id: string; word: string };
}

const plugin = definePlugin<Tables>()({
  name: "words",
  migrations: {
    "words-001": "create table words (id text primary key, word text not null)",
    "words-002": ["create index words_word on words (word)", "create view said as select word from words"],
  },
  methods: {
    "word.say": {
      params: z.object({ word: z.string(), loud: z.boolean().default(false) }),
      async handle(tx, { word, loud }, caller) {
        expectTypeOf(loud).toEqualTypeOf<boolean>();
        const row = { id: tx.newId(), word: loud ? word.toUpperCase() : word };
        await tx.db.insertInto("words").values(row).execute();
        tx.append("words", { event: "word.said", data: { ...row, by: caller.name } });
        return row;
      },
    },
    "word.forget": {
      params: z.object({ id: z.string() }),
      async handle(tx, { id }) {
        await tx.db.deleteFrom("words").where("id", "=", id).execute();
      },
    },
    "word.list": {
      kind: "read",
      params: z.object({}),
      handle: (tx) => tx.db.selectFrom("words").select("word").execute(),
    },
  },
  streams: [
    { name: "words", snapshot: async (tx) => ({ words: await tx.db.selectFrom("words").selectAll().execute() }) },
    { name: "rooms/" },
  ],
});

test("the page's types are those of the handlers", () => {
  type Methods = MethodsOf<typeof plugin>;
  expectTypeOf<Methods["word.say"]["params"]>().toEqualTypeOf<{ word: string; loud?: boolean | undefined }>();
  expectTypeOf<Methods["word.say"]["result"]>().toEqualTypeOf<{ id: string; word: string }>();
  expectTypeOf<Methods["word.forget"]["result"]>().toEqualTypeOf<null>();
  expectTypeOf<keyof Methods>().toEqualTypeOf<"word.say" | "word.forget" | "word.list">();
});

test("what an app leaves out has its default", () => {
  const { methods, streams, tasks } = plugin;
  const declared = Object.entries(methods).map(([name, { kind, role }]) => [name, kind, role]);
  expect(declared).toEqual([
    ["word.say", "effect", "operator"],
    ["word.forget", "effect", "operator"],
    ["word.list", "read", "viewer"],
  ]);
  expect(streams.map(({ name, always, inbox }) => [name, always, inbox])).toEqual([
    ["words", true, false],
    ["rooms/", false, false],
  ]);
  expect(tasks).toEqual({});
});

test("it runs: statements migrate, methods write and append, the snapshot is what they made", async () => {
  const world = await createWorld(plugin);
  world.verdict = () => accepted({ ...ada, role: "operator" });
  const client = world.connect();
  await client.open();
  const ask = async (method: string, params: object): Promise<unknown> => {
    const before = client.of("response").length;
    client.send({ type: "request", id: uuidAt(world), method, params });
    await world.clock.advance(100);
    return client.of("response")[before];
  };
  expect(await ask("word.say", { word: "ahoy", loud: true })).toMatchObject({ result: { word: "AHOY" } });
  expect(await ask("word.say", { loud: 1 })).toMatchObject({ error: { code: "invalid_params" } });
  expect(await ask("word.list", {})).toMatchObject({ result: [{ word: "AHOY" }] });
  client.send({ type: "subscribe", stream: "words", sub: 1, from: "latest" });
  await world.clock.advance(100);
  expect(client.of("snapshot").at(-1)).toMatchObject({ data: { words: [{ word: "AHOY" }] } });
});
