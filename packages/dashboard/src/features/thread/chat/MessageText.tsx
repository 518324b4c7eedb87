/** A message's text: as Markdown, block by block, or as it is where that would hold the page; as often as that is cheap. */
import { type ReactNode, useMemo } from "react";
import { Trouble } from "../../../shared/ui/Trouble.tsx";
import { usePaced } from "../../../shared/ui/usePaced.ts";
import { drawnBlocks } from "./blocks.ts";
import { useMarkdown } from "./markdownChunk.ts";
import "./messageText.css";

/** Drawing 1,000 characters takes about 2 ms: so it takes a fifth of the page's time at most. */
const msPerGrowingChar = 0.01;

export function MessageText({ text, isWhole }: { readonly text: string; readonly isWhole: boolean }): ReactNode {
  const paced = usePaced(text, isWhole ? 0 : lastBlockChars(text) * msPerGrowingChar);
  const shown = isWhole ? text : paced;
  const blocks = useMemo(() => drawnBlocks(shown, isWhole), [shown, isWhole]);
  const Markdown = useMarkdown();
  if (Markdown === undefined) return <Plain text={shown} />;
  return (
    <Trouble what="This message could not be drawn">
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
    </Trouble>
  );
}

/** About: what is behind the last empty line. */
const lastBlockChars = (text: string): number => text.length - Math.max(0, text.lastIndexOf("\n\n"));

function Plain({ text }: { readonly text: string }): ReactNode {
  return <p className="break-words whitespace-pre-wrap">{text}</p>;
}
