/** The board's page: one stream, folded by one reducer, and requests that show that they are under way. */
import { type AppliedEvent, createSharedSession } from "@holdfast/client/tabs";
import { HoldfastProvider, hooksFor, useConnection, useStream } from "@holdfast/react";
import { createRoot } from "react-dom/client";
import type { BoardMethods, Card } from "./app.ts";

const { useRequest } = hooksFor<BoardMethods>();
const stages = ["todo", "doing", "done"] as const;

function fold(cards: readonly Card[], { event, data }: AppliedEvent): readonly Card[] {
  const card = data as Card;
  if (event === "added") return [...cards, card];
  if (event === "deleted") return cards.filter(({ id }) => id !== card.id);
  return cards.map((old) => (old.id === card.id ? { ...old, ...card } : old));
}

function Board() {
  const snapshot = (data: Readonly<Record<string, unknown>>) => data["cards"] as readonly Card[];
  const { state: cards } = useStream("board", fold, { from: "latest", initial: [], snapshot });
  const [add, change, remove] = [useRequest("card.add"), useRequest("card.change"), useRequest("card.delete")];
  const button = (label: string, act: () => void) => (
    <button type="button" onClick={act}>
      {label}
    </button>
  );
  const column = (stage: Card["stage"], index: number) => {
    const list = cards.filter((card) => card.stage === stage).sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
    const rank = (at: number) => list[at]?.rank ?? 0;
    const end = rank(list.length - 1) + 1;
    const submit = (form: FormData) => void add.send({ title: String(form.get("title")), stage, rank: end });
    const rename = (id: string, old: string, title: string) => title !== old && change.send({ id, title });
    return (
      <section key={stage} aria-label={stage}>
        {list.map(({ id, title }, at) => (
          <article key={id} id={id}>
            <input key={title} defaultValue={title} onBlur={({ target }) => rename(id, title, target.value)} />
            {at > 0 && button("up", () => change.send({ id, rank: (rank(at - 2) + rank(at - 1)) / 2 }))}
            {button("next", () => change.send({ id, stage: stages[index + 1] ?? "todo" }))}
            {button("delete", () => remove.send({ id }))}
          </article>
        ))}
        <form action={submit}>
          <input name="title" placeholder={`New in ${stage}`} required />
        </form>
      </section>
    );
  };
  return (
    <main data-connection={useConnection().state.kind} aria-busy={add.pending || change.pending || remove.pending}>
      {stages.map(column)}
      <p role="alert">{(add.error ?? change.error ?? remove.error)?.message}</p>
    </main>
  );
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <HoldfastProvider session={createSharedSession({ clientName: "board" })}>
    <Board />
  </HoldfastProvider>,
);
