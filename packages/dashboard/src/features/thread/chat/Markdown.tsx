/**
 * Somebody else's Markdown, drawn without trusting it: no HTML, no pictures, links to http, https and mailto only (O1, O2).
 *
 * HTML in it is shown as the text that it is. A picture is shown as its description, since fetching one tells its server
 * what is being read. In a chunk of its own: a page without a conversation does not load it.
 */
import { memo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import remarkGfm from "remark-gfm";
import { visibleText } from "../../../shared/format/visibleText.ts";
import { safeUrl } from "./safeUrl.ts";

const components: Components = {
  a: ({ href, children }) =>
    href === undefined || href === "" ? (
      <span>{children}</span>
    ) : (
      <a href={href} target="_blank" rel="noopener noreferrer" title={visibleText(href)}>
        {children}
      </a>
    ),
  img: ({ alt }) => <span className="text-muted">[picture{alt ? `: ${alt}` : ""}]</span>,
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className="overflow-x-auto" tabIndex={0} aria-label="Table">
      <table>{children}</table>
    </section>
  ),
  pre: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <pre tabIndex={0}>{children}</pre>
  ),
};
const remark = [remarkGfm];
/** Made once: each one learns all languages anew, which took longer than the rest of drawing a short text. */
const highlight = rehypeHighlight({ detect: false });
const coloured = [() => highlight];
const uncoloured: typeof coloured = [];

/** The same text is drawn once. */
export const Markdown = memo(function Markdown(props: {
  readonly text: string;
  readonly isColoured: boolean;
}): ReactNode {
  return (
    <ReactMarkdown
      components={components}
      remarkPlugins={remark}
      rehypePlugins={props.isColoured ? coloured : uncoloured}
      urlTransform={(url) => safeUrl(url) ?? ""}
    >
      {props.text}
    </ReactMarkdown>
  );
});
