/**
 * Two servers on one PostgreSQL: one runs the assistants, and when it is killed the other does, as the same agents.
 *
 * Real time: a lease is 15 s, and nobody is judged before the store has answered for 30 s.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../packages/server/test/support/postgresServer.ts";
import { endAll, type Holdfast, startHoldfast } from "../src/holdfast.ts";
import { type Model, startModel } from "../src/modelEndpoint.ts";
import { pause, waitFor } from "../src/waiting.ts";

const startMsMax = 60_000;
const answerMsMax = 30_000;
/** Of a server that has just come: before it judges anybody. */
const judgesAfterMs = 31_000;

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
}, startMsMax);
afterAll(() => postgres.end(), startMsMax);
afterEach(endAll);

interface Exchange {
  readonly command: { readonly id: string; readonly outcome: string | null };
  readonly messages: readonly { readonly text: string }[];
}

function callerOf({ data, port }: Holdfast) {
  const authorization = `Bearer ${readFileSync(join(data, "operator.key"), "utf8").trim()}`;
  return async <Result>(method: string, params: object): Promise<Result> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: JSON.stringify(params),
    });
    if (!answer.ok) throw new Error(`${method}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Result;
  };
}

async function modelOfTest(): Promise<Model> {
  const model = await startModel();
  onTestFinished(() => model.stop());
  return model;
}

test("[I8] the server that runs the assistants is killed in mid-answer: within 30 s the other's answer, what ran is lost and asked for again", async () => {
  const model = await modelOfTest();
  const asked = {
    mode: "local" as const,
    flags: ["--database-url", await postgres.newDatabase()],
    environment: {
      HOLDFAST_AGENTS_ASSISTANTS: "true",
      HOLDFAST_AGENTS_SHELL: "false",
      HOLDFAST_AGENTS_DEMO: "false",
      HOLDFAST_ASSISTANTS_SEALING_KEY: randomBytes(32).toString("base64url"),
    },
  };
  const dies = await startHoldfast(asked);
  await waitFor(() => dies.errors().includes('"leads":true') || undefined, { msMax: answerMsMax, what: "a leader" });
  const stays = await startHoldfast(asked);
  await waitFor(() => stays.errors().includes('"leads":false') || undefined, {
    msMax: answerMsMax,
    what: "one that stands by",
  });
  const begun = Date.now();
  const call = callerOf(stays);
  await waitFor(
    async () => ((await call<{ canKeepKeys: boolean }>("assistant.list", {})).canKeepKeys ? true : undefined),
    { msMax: answerMsMax, what: "somebody to encrypt a key for" },
  );
  await call("assistant.create", { name: "Kelp", endpoint: model.url, model: "m", key: "sk-e2e-0123456789" });
  const agents = async () =>
    (await call<{ items: { id: string; name: string; status: string }[] }>("agent.list", {})).items;
  const online = () =>
    waitFor(async () => (await agents()).find(({ name, status }) => name === "Kelp" && status === "online"), {
      msMax: answerMsMax,
      what: "the assistant",
    });
  const { id: agent } = await online();
  const send = (params: object) => call<{ command: string; thread: string }>("command.send", params);
  const first = await send({ agent, text: "are you there" });
  const { thread } = first;
  const exchange = (command: string, isSo: (one: Exchange) => boolean) =>
    waitFor(
      async () => {
        const { items } = await call<{ items: Exchange[] }>("thread.read", { thread });
        return items.find((one) => one.command.id === command && isSo(one));
      },
      { msMax: answerMsMax, what: "the exchange" },
    );
  const outcomeOf = async (command: string): Promise<string | null> =>
    (await exchange(command, ({ command: { outcome } }) => outcome !== null)).command.outcome;
  expect(await outcomeOf(first.command)).toBe("completed");
  const running = await send({ thread, text: "go on endlessly" });
  await exchange(running.command, ({ messages }) => (messages[0]?.text ?? "").length > 20);
  await pause(Math.max(0, begun + judgesAfterMs - Date.now()));

  await dies.kill();
  const killedAt = Date.now();
  model.hurry();
  const waiting = await send({ thread, text: "and now" });
  expect(await outcomeOf(running.command)).toBe("lost");
  expect(await outcomeOf(waiting.command)).toBe("completed");
  const takenMs = Date.now() - killedAt;
  const again = await call<{ command: string }>("command.retry", { command: first.command });
  expect(await outcomeOf(again.command)).toBe("completed");
  console.log(`assistants: answered ${takenMs} ms after the kill`);
  expect(takenMs).toBeLessThan(answerMsMax);
  // The same agent: its threads are its own, and nobody is there twice.
  expect((await agents()).filter(({ name }) => name.startsWith("Kelp"))).toMatchObject([
    { id: agent, status: "online" },
  ]);

  // Who comes back stands by, and its own process of before is ended.
  const back = await startHoldfast({ ...asked, data: dies.data, port: dies.port });
  await waitFor(() => back.errors().includes('"leads":false') || undefined, {
    msMax: answerMsMax,
    what: "the first again",
  });
  const last = await send({ thread, text: "still there" });
  expect(await outcomeOf(last.command)).toBe("completed");
});
