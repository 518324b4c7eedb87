/** The chat's page: a stream of messages, and two signals that live as long as somebody is here, or types. */
import { type AppliedEvent, createSharedSession } from "@holdfast/client/tabs";
import { HoldfastProvider, hooksFor, useConnection, useSignal, useStream } from "@holdfast/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import type { ChatMethods, Message } from "./app.ts";

const { useRequest } = hooksFor<ChatMethods>();

const fold = (messages: readonly Message[], event: AppliedEvent) => [...messages, event.data as Message];

function Room() {
  const [text, setText] = useState("");
  const snapshot = (data: Readonly<Record<string, unknown>>) => data["messages"] as readonly Message[];
  const { state: messages } = useStream("room", fold, { from: "latest", initial: [], snapshot });
  const { state } = useConnection();
  const { send, pending, error } = useRequest("message.send");
  const here = useSignal("room", "presence", { lifeMs: 9_000, say: "here" });
  const typing = useSignal("room", "typing", { lifeMs: 3_000, say: text === "" ? undefined : "typing" });
  const submit = () => {
    void send({ text });
    setText("");
  };
  return (
    <main data-connection={state.kind} aria-busy={pending}>
      <output aria-label="Here">{["you", ...here.keys()].join(", ")}</output>
      <ol>
        {messages.map((message) => (
          <li key={message.id}>{`${message.name}: ${message.text}`}</li>
        ))}
      </ol>
      <output aria-label="Typing">{[...typing.keys()].join(", ")}</output>
      <form action={submit}>
        <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} required />
        <button type="submit">Send</button>
      </form>
      <p role="alert">{error?.message}</p>
    </main>
  );
}

const root = createRoot(document.getElementById("root") as HTMLElement);

function enter(name: string): void {
  sessionStorage.setItem("name", name);
  root.render(
    <HoldfastProvider session={createSharedSession({ clientName: "chat", name, getToken: async () => name })}>
      <Room />
    </HoldfastProvider>,
  );
}

const ask = (
  <form action={(form) => enter(String(form.get("name")))}>
    <input name="name" aria-label="Your name" placeholder="Your name" required maxLength={40} />
  </form>
);
const known = sessionStorage.getItem("name");
if (known === null) root.render(ask);
else enter(known);
