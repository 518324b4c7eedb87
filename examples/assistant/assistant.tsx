/** A conversation with an assistant of a Holdfast server, on a page of another origin: `useThread` does all of it. */
import { createSharedSession } from "@holdfast/client/tabs";
import { HoldfastProvider, useConnection, useThread } from "@holdfast/react";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";

type Methods = {
  "agent.list": { params: object; result: { items: { id: string; kind: string }[] } };
  "thread.create": { params: { agent: string }; result: { thread: { id: string } } };
};

function Conversation({ thread }: { readonly thread: string }) {
  const { messages, hasOlder, pending, typing, unread, error, draft, ...talk } = useThread(thread, { person: name });
  const { loadOlder, setDraft, send, dismiss, stop, retry, markRead } = talk;
  const { state } = useConnection();
  useEffect(() => {
    if (unread !== undefined && unread > 0 && document.hasFocus()) markRead();
  }, [unread, markRead]);
  return (
    <main data-connection={state.kind} data-unread={unread}>
      {hasOlder && (
        <button type="button" onClick={loadOlder}>
          Earlier messages
        </button>
      )}
      <ol>
        {messages.map((message) => (
          <li key={message.id} data-kind={message.kind} data-state={message.state}>
            {message.text}
            {message.kind === "sent" && message.state === "finished" && message.outcome !== "completed" && (
              <button type="button" onClick={() => retry(message.id)}>{`${message.outcome}: try again`}</button>
            )}
          </li>
        ))}
        {pending.map(({ key, text: waiting, state: step, error: why }) => (
          <li key={key} data-kind="pending" data-state={step}>
            {waiting}
            {why !== undefined && (
              <button type="button" onClick={() => dismiss(key)}>{`${why.message}: dismiss`}</button>
            )}
          </li>
        ))}
      </ol>
      <output>{typing ? "Writing …" : ""}</output>
      <form action={() => send(draft)}>
        <input aria-label="Message" value={draft} onChange={(event) => setDraft(event.target.value)} required />
        <button type="submit">Send</button>
        <button type="button" onClick={() => stop()}>
          Stop
        </button>
      </form>
      <p role="alert">{error instanceof Error ? error.message : ""}</p>
    </main>
  );
}

const name = sessionStorage.getItem("name") ?? prompt("Your name") ?? "guest";
sessionStorage.setItem("name", name);
const ask = async () => (await fetch(`/session?name=${encodeURIComponent(name)}`)).json();
const { url } = await ask();
const getToken = async () => (await ask()).token;
const session = createSharedSession<Methods>({ clientName: "assistant", name, url, getToken });
const { items } = await session.call("agent.list", {});
const agent = items.find(({ kind }) => kind === "assistant")?.id ?? "";
location.hash ||= (await session.call("thread.create", { agent })).thread.id;
createRoot(document.getElementById("root") as HTMLElement).render(
  <HoldfastProvider session={session}>
    <Conversation thread={location.hash.slice(1)} />
  </HoldfastProvider>,
);
