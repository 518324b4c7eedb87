/**
 * The code that draws Markdown: a chunk of its own, loaded with the first conversation.
 *
 * Life cycle: asked for → there for good, or failed → asked for again with the next link. A server that is away just then
 * must cost no word: until it is there, texts are shown as they are. Invariant: one loading at a time.
 */
import { type ComponentType, createContext, startTransition, use, useEffect, useState } from "react";

export type DrawMarkdown = ComponentType<{ readonly text: string; readonly isColoured: boolean }>;

const MarkdownContext = createContext<DrawMarkdown | undefined>(undefined);
export const MarkdownProvider = MarkdownContext;
export const useMarkdown = (): DrawMarkdown | undefined => use(MarkdownContext);

let loaded: DrawMarkdown | undefined;
let loading: Promise<DrawMarkdown> | undefined;

/** For whoever provides it. `isLinked`: the server can be reached, as far as is known. */
export function useMarkdownChunk(isLinked: boolean): DrawMarkdown | undefined {
  const [draw, setDraw] = useState(() => loaded);
  useEffect(() => {
    if (draw !== undefined || !isLinked) return;
    // Many messages are drawn anew then: in slices.
    load().then(
      (now) => startTransition(() => setDraw(() => now)),
      () => undefined,
    );
  }, [draw, isLinked]);
  return draw;
}

function load(): Promise<DrawMarkdown> {
  loading ??= import("./Markdown.tsx").then(
    ({ Markdown }) => {
      loaded = Markdown;
      return Markdown;
    },
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}
