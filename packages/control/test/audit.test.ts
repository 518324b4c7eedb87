/**
 * What of the control domain is audited: assistants, and what is done to commands of others. Never a key, never a text.
 *
 * Seen red: with `key` among what is told of an assistant; with one's own commands audited.
 */
import { expect, it } from "vitest";
import { publicKeyOf } from "../contract/sealedKey.ts";
import { plugin } from "../src/plugin.ts";
import { openControl, person } from "./support/control.ts";

const endpoint = "https://api.example.com/v1";
const key = "CANARY-of-a-model";
const prompt = "CANARY-of-a-prompt";

it.each(Object.entries(plugin.methods).filter(([, { role, kind }]) => role === "admin" && kind === "effect"))(
  "%s is an admin's to do, so it is audited",
  (_name, { audited }) => expect(audited).toBeDefined(),
);

it("assistants: which, what of it is no secret, and the names of the rest", async () => {
  const control = await openControl();
  const secret = Uint8Array.from({ length: 32 }, (_, index) => index);
  const publicKey = publicKeyOf(secret);
  for (let starts = 0; starts < 3; starts += 1) await control.call("assistant.host", { publicKey });
  const asked = { name: "Bard", endpoint, model: "m-1", systemPrompt: prompt, key };
  const { assistant } = await control.call("assistant.create", asked);
  await control.call("assistant.change", { assistant: assistant.id, key: `${key}-2`, model: "m-2" });
  await expect(control.call("assistant.change", { assistant: "none", key: `${key}-3` })).rejects.toThrow(
    "no assistant",
  );
  await control.call("assistant.remove", { assistant: assistant.id });
  const events = await control.events("audit");
  const object = { type: "assistant", id: assistant.id };
  expect(events).toMatchObject([
    { event: "audit.done", data: { action: "assistant.host", object: { id: publicKey } } },
    {
      event: "audit.done",
      data: {
        action: "assistant.create",
        object,
        about: { name: "Bard", model: "m-1" },
        given: ["endpoint", "systemPrompt", "key"],
      },
    },
    { event: "audit.done", data: { action: "assistant.change", object, about: { model: "m-2" }, given: ["key"] } },
    { event: "audit.refused", data: { action: "assistant.change", object: { id: "none" }, refused: "not_found" } },
    { event: "audit.done", data: { action: "assistant.remove", object } },
  ]);
  expect(JSON.stringify(events)).not.toContain("CANARY");
});

it("commands: those of others, stopped or sent once more, also where it is refused; one's own are one's own", async () => {
  const control = await openControl();
  const agent = await control.hello();
  const eve = { ...person(), id: "eve", name: "Eve" };
  const send = async () => (await control.call("command.send", { agent: agent.id, text: prompt })).command;
  const [own, others] = [await send(), await send()];
  await control.call("command.interrupt", { command: own });
  await control.call("command.retry", { command: own }).catch(() => undefined);
  await expect(control.call("command.retry", { command: others }, eve)).rejects.toThrow("wait for its end");
  await control.call("command.interrupt", { command: others }, eve);
  await control.call("command.retry", { command: others }, eve);
  await control.call("command.cancel", { command: await send() }, eve);
  await expect(control.call("command.interrupt", { command: "none" }, eve)).rejects.toThrow("no command");
  const events = await control.events("audit");
  const object = { type: "command", id: others };
  const by = { id: "eve", name: "Eve" };
  expect(events).toMatchObject([
    { event: "audit.refused", data: { by, action: "command.retry", object, refused: "conflict" } },
    { event: "audit.done", data: { by, action: "command.interrupt", object, about: { sentBy: person().id } } },
    { event: "audit.done", data: { by, action: "command.retry", object, about: { sentBy: person().id } } },
    { event: "audit.done", data: { by, action: "command.cancel", about: { sentBy: person().id } } },
  ]);
  expect(JSON.stringify(events)).not.toContain("CANARY");
});

it("threads: those of others that somebody puts away", async () => {
  const control = await openControl();
  const agent = await control.hello();
  const begin = async () => (await control.call("thread.create", { agent: agent.id })).thread.id;
  await control.call("thread.archive", { thread: await begin() });
  const thread = await begin();
  await control.call("thread.archive", { thread, archived: true }, { ...person(), id: "eve" });
  expect(await control.events("audit")).toMatchObject([
    {
      event: "audit.done",
      data: {
        action: "thread.archive",
        object: { type: "thread", id: thread },
        about: { archived: true, createdBy: person().id },
      },
    },
  ]);
});
