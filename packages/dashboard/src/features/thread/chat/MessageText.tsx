/**
 * A message's text: as Markdown, block by block, or as it is where that would hold the page.
 *
 * A text is there at once, as it is, and drawn as Markdown when the page has time: many are opened without a pause, and a
 * new one is read sooner. One that grows is drawn as often as its last block is cheap.
 */
import { lazy, type ReactNode, Suspense, useDeferredValue, useMemo } from "react";
import { Trouble } from "../../../shared/ui/Trouble.tsx";
import { usePaced } from "../../../shared/ui/usePaced.ts";
import { drawnBlocks } from "./blocks.ts";

const Markdown = lazy(async () => ({ default: (await import("./Markdown.tsx")).Markdown }));

/** Drawing 1,000 characters takes about 2 ms: so it takes a fifth of the page's time at most. */
const msPerGrowingChar = 0.01;

export function MessageText({ text, isWhole }: { readonly text: string; readonly isWhole: boolean }): ReactNode {
  const paced = usePaced(text, isWhole ? 0 : lastBlockChars(text) * msPerGrowingChar);
  const wanted = useMemo(() => ({ text: paced, isWhole }), [paced, isWhole]);
  // What is typed and clicked comes first; a fast answer skips what nobody could have read, its end included.
  const drawn = useDeferredValue(wanted, undefined);
  const blocks = useMemo(() => drawn && drawnBlocks(drawn.text, drawn.isWhole), [drawn]);
  if (blocks === undefined) return <Plain text={text} />;
  return (
    <Trouble what="This message could not be drawn">
      <Suspense fallback={<Plain text={text} />}>
        <div className="message-text">
          {blocks.map((block, index) =>
            block.drawn === "plain" ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only added behind
              <Plain key={index} text={block.text} />
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only added behind
              <Markdown key={index} text={block.text} isColoured={block.drawn === "markdown"} />
            ),
          )}
        </div>
      </Suspense>
    </Trouble>
  );
}

/** About: what is behind the last empty line. */
const lastBlockChars = (text: string): number => text.length - Math.max(0, text.lastIndexOf("\n\n"));

function Plain({ text }: { readonly text: string }): ReactNode {
  return <p className="break-words whitespace-pre-wrap">{text}</p>;
}
