/**
 * Links in a terminal: http and https only, opened in a new tab that knows nothing of this one.
 *
 * Two kinds: addresses in the text, found here, and OSC 8 hyperlinks, whose text may differ from where they
 * lead; both show their address while the pointer is over them. Everything else a program calls a link is text.
 */
import type { IBufferLine, ILink, ILinkHandler, ILinkProvider, Terminal } from "@xterm/xterm";

/** Longer addresses are not made links. */
export const addressLengthMax = 2_000;
/** Rows of one wrapped line that are looked at. */
const rowsMax = 30;

const addressPattern = /https?:\/\/[^\s"'<>`{}|\\^]+/g;
/** What ends a sentence rather than an address. */
const trailing = /[.,;:!?)\]]+$/;

/** The address where it may be opened, else undefined. */
export function safeAddress(text: string): string | undefined {
  if (text.length > addressLengthMax || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === "http:" || url.protocol === "https:" ? url.href : undefined;
}

/** Addresses in a line of text, with where they begin. */
export function addressesIn(text: string): readonly { readonly start: number; readonly address: string }[] {
  const found: { start: number; address: string }[] = [];
  for (const match of text.matchAll(addressPattern)) {
    const address = match[0].replace(trailing, "");
    if (safeAddress(address) !== undefined) found.push({ start: match.index, address });
  }
  return found;
}

export function linkHandler(onHover: (address: string | undefined) => void): ILinkHandler {
  return {
    activate: (_event, text) => openAddress(text),
    hover: (_event, text) => onHover(safeAddress(text)),
    leave: () => onHover(undefined),
    allowNonHttpProtocols: false,
  };
}

export function addressProvider(terminal: Terminal, onHover: (address: string | undefined) => void): ILinkProvider {
  return {
    provideLinks: (row, callback) => {
      const links = linksAround(terminal, row - 1).map((link) => ({
        ...link,
        activate: () => openAddress(link.text),
        hover: () => onHover(safeAddress(link.text)),
        leave: () => onHover(undefined),
      }));
      callback(links.length === 0 ? undefined : links);
    },
  };
}

function openAddress(text: string): void {
  const address = safeAddress(text);
  if (address !== undefined) window.open(address, "_blank", "noopener,noreferrer");
}

/** Links of the wrapped line that holds `row` (0-based). */
function linksAround(terminal: Terminal, row: number): readonly Pick<ILink, "range" | "text">[] {
  const buffer = terminal.buffer.active;
  let first = row;
  while (first > 0 && row - first < rowsMax && buffer.getLine(first)?.isWrapped === true) first -= 1;
  const cells: { readonly x: number; readonly y: number }[] = [];
  let text = "";
  for (let y = first; y < first + rowsMax; y += 1) {
    const line = buffer.getLine(y);
    if (line === undefined || (y > first && !line.isWrapped)) break;
    text += cellsOf(line, y, terminal.cols, cells);
  }
  return addressesIn(text).flatMap(({ start, address }) => {
    const from = cells[start];
    const to = cells[start + address.length - 1];
    if (from === undefined || to === undefined) return [];
    return [{ text: address, range: { start: { x: from.x + 1, y: from.y + 1 }, end: { x: to.x + 1, y: to.y + 1 } } }];
  });
}

/** A row's text, with the cell of each UTF-16 unit added to `cells`. */
function cellsOf(line: IBufferLine, y: number, cols: number, cells: { x: number; y: number }[]): string {
  let text = "";
  for (let x = 0; x < cols; x += 1) {
    const cell = line.getCell(x);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const characters = cell.getChars() || " ";
    text += characters;
    for (let index = 0; index < characters.length; index += 1) cells.push({ x, y });
  }
  return text;
}
