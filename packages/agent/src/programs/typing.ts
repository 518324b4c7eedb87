/**
 * A command's text as keystrokes.
 *
 * Lines end with what the Return key sends. Several lines go as one paste where the program asked for pastes
 * in brackets, so that it gets them whole; control sequences are taken out of a paste, for one of them would
 * end it early.
 */
const escapeControl = "\u001b";

/** What to write to the pty for `text`, the final Return included. */
export function typed(text: string, bracketedPaste: boolean): Uint8Array {
  const lines = text.replaceAll(/\r\n?|\n/g, "\r");
  const pasted = bracketedPaste && lines.includes("\r");
  const paste = `${escapeControl}[200~${lines.replaceAll(escapeControl, "")}${escapeControl}[201~`;
  return Buffer.from(`${pasted ? paste : lines}\r`, "utf8");
}
