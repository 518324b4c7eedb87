/** A message's text: as Markdown, block by block while it grows, or as it is where that would hold the page. */
import { lazy, type ReactNode, Suspense } from "react";
import { Trouble } from "../../../shared/ui/Trouble.tsx";
import { usePaced } from "../../../shared/ui/usePaced.ts";
import { blocksOf, isDrawnAsMarkdown } from "./blocks.ts";

const Markdown = lazy(async () => ({ default: (await import("./Markdown.tsx")).Markdown }));

export function MessageText({ text, isWhole }: { readonly text: string; readonly isWhole: boolean }): ReactNode {
  // What is typed and clicked comes first; a fast answer skips what nobody could have read.
  const paced = usePaced(text, 0);
  const shown = isWhole ? text : paced;
  if (!isDrawnAsMarkdown(shown)) return <Plain text={shown} />;
  const blocks = isWhole ? [shown] : blocksOf(shown);
  return (
    <Trouble what="This message could not be drawn">
      <Suspense fallback={<Plain text={shown} />}>
        <div className="message-text">
          {blocks.map((block, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only added behind
            <Markdown key={index} text={block} />
          ))}
        </div>
      </Suspense>
    </Trouble>
  );
}

function Plain({ text }: { readonly text: string }): ReactNode {
  return <p className="break-words whitespace-pre-wrap">{text}</p>;
}
