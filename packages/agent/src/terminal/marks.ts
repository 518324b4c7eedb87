/**
 * Reads shell-integration marks (OSC 133) out of a program's output, wherever its chunks are cut.
 *
 * `ESC ] 133 ; C` says that a command's output starts, `D [; exit code]` that it ended; A and B frame the
 * prompt. They are what the program claims, no more. Pure; it changes no byte.
 */
export type Mark =
  | { readonly kind: "prompt" | "start" }
  | { readonly kind: "end"; readonly exitCode: number | undefined };

/** A mark longer than this is none. */
const markBytesMax = 256;

const escapeControl = 0x1b;
const bell = 0x07;

export class MarkReader {
  /** What follows `ESC ]` so far; undefined outside an OSC string. */
  private text: string | undefined;
  private escaped = false;

  /** The marks that end in `bytes`, with the index after each. */
  read(bytes: Uint8Array): { readonly mark: Mark; readonly at: number }[] {
    const marks: { mark: Mark; at: number }[] = [];
    for (let index = 0; index < bytes.length; index += 1) {
      const ended = this.byte(bytes[index] as number);
      const mark = ended === undefined ? undefined : parse(ended);
      if (mark !== undefined) marks.push({ mark, at: index + 1 });
    }
    return marks;
  }

  /** The text of the OSC string that `value` ends. */
  private byte(value: number): string | undefined {
    const escaped = this.escaped;
    this.escaped = value === escapeControl;
    if (this.text === undefined) {
      if (escaped && value === 0x5d) this.text = "";
      return undefined;
    }
    if (value === escapeControl) return undefined;
    if (value === bell || (escaped && value === 0x5c)) return this.end();
    if (escaped) this.text = value === 0x5d ? "" : undefined;
    else this.text = this.text.length < markBytesMax ? this.text + String.fromCharCode(value) : undefined;
    return undefined;
  }

  private end(): string | undefined {
    const { text } = this;
    this.text = undefined;
    return text;
  }
}

function parse(text: string): Mark | undefined {
  const [number, letter, exit] = text.split(";");
  if (number !== "133") return undefined;
  switch (letter) {
    case "A":
    case "B":
      return { kind: "prompt" };
    case "C":
      return { kind: "start" };
    case "D":
      return { kind: "end", exitCode: exit !== undefined && /^\d{1,5}$/.test(exit) ? Number(exit) : undefined };
    default:
      return undefined;
  }
}
