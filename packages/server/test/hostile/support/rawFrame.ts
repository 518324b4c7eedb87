/** WebSocket frames made by hand (RFC 6455 section 5.2), also the ones that nobody may send; and read again. */

export interface FrameShape {
  readonly fin?: boolean;
  /** The three reserved bits, as 0…7. */
  readonly reserved?: number;
  readonly opcode?: number;
  readonly masked?: boolean;
  readonly payload?: string | Uint8Array;
  /** What the header claims, in place of the payload's length. */
  readonly claimed?: bigint;
  /** Bytes of the length field: 0 (in the second byte), 2 or 8; by default the shortest. */
  readonly lengthBytes?: 0 | 2 | 8;
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

export function frame(shape: FrameShape): Buffer {
  const { fin = true, reserved = 0, opcode = opcodes.text, masked = true } = shape;
  const payload = Buffer.from(shape.payload ?? "");
  const claimed = shape.claimed ?? BigInt(payload.length);
  const lengthBytes = shape.lengthBytes ?? (claimed < 126n ? 0 : claimed < 65_536n ? 2 : 8);
  const header = Buffer.alloc(2 + lengthBytes);
  header[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  header[1] = (masked ? 0x80 : 0) | (lengthBytes === 0 ? Number(claimed) & 0x7f : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(Number(claimed), 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(claimed, 2);
  if (!masked) return Buffer.concat([header, payload]);
  const hidden = Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return Buffer.concat([header, mask, hidden]);
}

export const textFrame = (text: string): Buffer => frame({ payload: text });
export const messagesFrame = (...messages: readonly unknown[]): Buffer => textFrame(JSON.stringify(messages));

export function closeFrame(code: number, reason: string | Uint8Array = ""): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
  return frame({ opcode: opcodes.close, payload });
}

export interface ReadFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Cuts a server's bytes into frames; keeps what is not whole yet. A server's frame is never masked. */
export function createFrameReader(): (chunk: Buffer) => ReadFrame[] {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = 2;
  return (chunk) => {
    chunks.push(chunk);
    size += chunk.length;
    const frames: ReadFrame[] = [];
    while (size >= wanted) {
      const bytes = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
      const short = (bytes[1] ?? 0) & 0x7f;
      const header = short === 126 ? 4 : short === 127 ? 10 : 2;
      chunks = [bytes];
      wanted = header;
      if (size < header) break;
      const length = header === 2 ? short : header === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      wanted = header + length;
      if (size < wanted) break;
      frames.push({ opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(header, wanted) });
      chunks = [bytes.subarray(wanted)];
      size -= wanted;
      wanted = 2;
    }
    return frames;
  };
}
