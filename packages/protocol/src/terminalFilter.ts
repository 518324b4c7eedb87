/**
 * What stands between hostile terminal output and a terminal emulator.
 *
 * An emulator trusts the numbers it is given: 14 bytes (`X ESC [ 2147483647 b`) keep xterm busy for 86 s,
 * an endless OSC string eats memory, OSC 52 writes the clipboard. Agent and page both feed their emulator
 * through this filter; what is published and stored stays exact, byte for byte.
 *
 * Life cycle: one filter a terminal, fed every chunk in order, a new one wherever the emulator starts anew.
 * Bytes → UTF-8 units → a state machine (ground, escape, CSI, string). Invariant: only whole sequences leave
 * it, so the emulator is in its ground state between any two calls, wherever the chunks were cut; harmless
 * output passes unchanged. It deliberately answers nothing and knows no emulator: it reads the union of what
 * emulators read (8-bit controls and bytes that a decoder would skip included).
 */

/** A numeric parameter of a CSI sequence; larger ones become this. */
export const csiParameterMax = 9_999;
/** A whole CSI or escape sequence; longer ones are dropped. */
export const csiBytesMax = 256;
/** An OSC, DCS, APC, PM or SOS string; longer ones are dropped whole. */
export const stringBytesMax = 4_096;
/** Repeats of a cell or tab operation, where the terminal's size is not given. */
export const cellRepeatMax = 1_000;
/** Repeats of a line operation (each moves the whole screen), where the terminal's size is not given. */
export const lineRepeatMax = 200;

export interface TerminalFilter {
  (bytes: Uint8Array): Uint8Array;
  /** True while no sequence and no character is half read: a clean place to cut. */
  readonly atRest: boolean;
}

/**
 * A filter with the state of one terminal. With `size` (asked at each sequence) repeats of an operation are
 * capped at what can have an effect on that screen; without it at fixed limits.
 */
export function createTerminalFilter(size?: () => { readonly cols: number; readonly rows: number }): TerminalFilter {
  const reader = new SequenceReader(size);
  const filter = (bytes: Uint8Array): Uint8Array => reader.read(bytes);
  Object.defineProperty(filter, "atRest", { get: () => reader.atRest });
  return filter as TerminalFilter;
}

const bell = 0x07;
const cancel = 0x18;
const substitute = 0x1a;
const escapeControl = 0x1b;
const backslash = 0x5c;
const leftBracket = 0x5b;
const rightBracket = 0x5d;
const deleted = 0x7f;
const stringTerminator = 0x9c;
/** Final byte of `ESC …` that opens a string: DCS, SOS, OSC, PM, APC. The 8-bit form is 0x40 above it. */
const stringOpeners = new Set([0x50, 0x58, rightBracket, 0x5e, 0x5f]);
/** CSI operations whose cost grows with their parameter, by intermediate and final: over cells, over lines. */
const cellOperations = new Set(["b", "@", "P", "X", "I", "Z", " @", " A", "'}", "'~"]);
const lineOperations = new Set(["L", "M", "S", "T", "^"]);

type State = "ground" | "escape" | "csi" | "string";

class SequenceReader {
  private state: State = "ground";
  private readonly size: (() => { readonly cols: number; readonly rows: number }) | undefined;
  /** The sequence or string read so far, its opener included. */
  private held: number[] = [];
  /** True once `held` passed its limit: the rest is read and dropped. */
  private overlong = false;
  /** A string ended with ESC: a backslash that follows is the rest of its end, already written. */
  private afterString = false;
  /** Bytes of an unfinished UTF-8 character, and how many it still needs. */
  private character: number[] = [];
  private missing = 0;
  private output = new Uint8Array(0);
  private length = 0;

  constructor(size: (() => { readonly cols: number; readonly rows: number }) | undefined) {
    this.size = size;
  }

  get atRest(): boolean {
    return this.state === "ground" && this.missing === 0;
  }

  read(bytes: Uint8Array): Uint8Array {
    // What leaves is never longer than what came, but for the two bytes that end a string (ESC alone may).
    this.output = new Uint8Array(2 * bytes.length + this.held.length + this.character.length + 2);
    this.length = 0;
    for (let index = 0; index < bytes.length; index += 1) this.byte(bytes[index] as number);
    return this.output.subarray(0, this.length);
  }

  /** UTF-8 first: what is no valid character is dropped, as emulators do, before it can hide a sequence. */
  private byte(value: number): void {
    if (this.missing > 0) {
      if (isContinuation(this.character, value)) {
        this.character.push(value);
        this.missing -= 1;
        if (this.missing === 0) this.wide(this.character);
        return;
      }
      this.missing = 0;
    }
    if (value < 0x80) {
      this.unit(value);
      return;
    }
    const length = characterLength(value);
    if (length === 0) return;
    this.character = [value];
    this.missing = length - 1;
  }

  /** A character above ASCII; U+0080 … U+009F are the 8-bit controls. */
  private wide(character: readonly number[]): void {
    const control = character[0] === 0xc2 && (character[1] as number) < 0xa0 ? (character[1] as number) : undefined;
    if (control !== undefined) {
      if (this.state === "string" && control === stringTerminator) this.endString([escapeControl, backslash]);
      else this.eightBit(control, character);
      return;
    }
    if (this.state === "string") {
      for (const value of character) this.hold(value, stringBytesMax);
      return;
    }
    if (this.state !== "ground") this.drop();
    this.write(character);
  }

  private eightBit(control: number, character: readonly number[]): void {
    this.drop();
    const opener = control - 0x40;
    if (opener === leftBracket) this.open("csi", [escapeControl, leftBracket]);
    else if (stringOpeners.has(opener)) this.open("string", [escapeControl, opener]);
    else if (control !== stringTerminator) this.write(character);
  }

  private unit(value: number): void {
    switch (this.state) {
      case "ground":
        if (value === escapeControl) this.open("escape", [escapeControl]);
        else this.put(value);
        return;
      case "escape":
        if (!this.control(value)) this.escapeByte(value);
        return;
      case "csi":
        if (!this.control(value)) this.csiByte(value);
        return;
      case "string":
        this.stringByte(value);
        return;
    }
  }

  /** Controls inside a sequence act at once, as they do in an emulator. True where `value` was one. */
  private control(value: number): boolean {
    if (value === escapeControl) this.open("escape", [escapeControl]);
    else if (value === cancel || value === substitute) this.drop();
    else if (value < 0x20) this.put(value);
    else if (value !== deleted) return false;
    return true;
  }

  private escapeByte(value: number): void {
    const first = this.held.length === 1;
    if (first && value === backslash && this.afterString) this.drop();
    else if (first && value === leftBracket) this.open("csi", [escapeControl, leftBracket]);
    else if (first && stringOpeners.has(value)) this.open("string", [escapeControl, value]);
    else {
      this.hold(value, csiBytesMax);
      if (value >= 0x30) this.emitHeld();
    }
  }

  private csiByte(value: number): void {
    this.hold(value, csiBytesMax);
    if (value < 0x40) return;
    const safe = this.overlong ? undefined : capped(this.held, this.size?.());
    if (safe !== undefined) this.write(safe);
    this.drop();
  }

  private stringByte(value: number): void {
    const osc = this.held[1] === rightBracket;
    if (value === escapeControl) {
      this.endString([escapeControl, backslash]);
      this.open("escape", [escapeControl]);
      this.afterString = true;
    } else if (value === bell && osc) this.endString([bell]);
    else if (value === cancel || value === substitute) this.drop();
    // Emulators ignore these inside OSC: left in, they would hide its number from us.
    else if (!osc || (value >= 0x20 && value !== deleted)) this.hold(value, stringBytesMax);
  }

  private endString(terminator: readonly number[]): void {
    if (!this.overlong && !isClipboard(this.held)) {
      this.write(this.held);
      this.write(terminator);
    }
    this.drop();
  }

  private open(state: State, held: number[]): void {
    this.state = state;
    this.held = held;
    this.overlong = false;
    this.afterString = false;
  }

  private hold(value: number, bytesMax: number): void {
    if (this.overlong) return;
    this.held.push(value);
    if (this.held.length <= bytesMax) return;
    this.overlong = true;
    // The opener stays: it tells which bytes end the string.
    this.held.length = 2;
  }

  private emitHeld(): void {
    if (!this.overlong) this.write(this.held);
    this.drop();
  }

  private drop(): void {
    this.open("ground", []);
  }

  private write(values: readonly number[]): void {
    for (const value of values) this.put(value);
  }

  private put(value: number): void {
    this.output[this.length] = value;
    this.length += 1;
  }
}

/** The length of the UTF-8 character that `lead` begins; 0 where it begins none. */
function characterLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/** Whether `value` may follow (Unicode table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF. */
function isContinuation(character: readonly number[], value: number): boolean {
  if (value < 0x80 || value > 0xbf) return false;
  if (character.length > 1) return true;
  switch (character[0]) {
    case 0xe0:
      return value >= 0xa0;
    case 0xed:
      return value <= 0x9f;
    case 0xf0:
      return value >= 0x90;
    case 0xf4:
      return value <= 0x8f;
    default:
      return true;
  }
}

/** A CSI sequence's text in its parts: prefix, numbers, and the operation (intermediates and final). */
const csiGrammar = /^([<-?]?)([0-9:;]*)([ -/]*[@-~])$/;

/** A complete CSI sequence with its numbers capped; undefined where it is malformed, which emulators ignore. */
function capped(
  sequence: readonly number[],
  size: { readonly cols: number; readonly rows: number } | undefined,
): readonly number[] | undefined {
  const parts = csiGrammar.exec(String.fromCharCode(...sequence.slice(2)));
  if (parts === null) return undefined;
  const [text, prefix = "", numbers = "", operation = ""] = parts;
  const limit = prefix === "" ? repeatMax(operation, size) : csiParameterMax;
  const safe = prefix + numbers.replace(/[0-9]+/g, (digits) => (Number(digits) > limit ? String(limit) : digits));
  if (safe + operation === text) return sequence;
  return [escapeControl, leftBracket, ...Array.from(safe + operation, (letter) => letter.charCodeAt(0))];
}

function repeatMax(operation: string, size: { readonly cols: number; readonly rows: number } | undefined): number {
  if (cellOperations.has(operation)) return size?.cols ?? cellRepeatMax;
  if (lineOperations.has(operation)) return size?.rows ?? lineRepeatMax;
  return csiParameterMax;
}

/** OSC 52, however its number is written. */
function isClipboard(held: readonly number[]): boolean {
  if (held[1] !== rightBracket) return false;
  return /^0*52(?:;|$)/.test(String.fromCharCode(...held.slice(2, 64)));
}
