/** A text frame of WebSocket (RFC 6455 section 5.2), encoded once so that many sockets can share the bytes. */

const finText = 0x81;

const empty = new Uint8Array(0);

/**
 * Server frames are not masked: two, four or ten bytes of header, then the text: `text`, then `body` (UTF-8
 * that was encoded before), then `rest`.
 */
export function encodeTextFrame(text: string, body: Uint8Array = empty, rest = ""): Uint8Array {
  const textBytes = Buffer.byteLength(text);
  const length = textBytes + body.length + Buffer.byteLength(rest);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = finText;
  if (header === 2) frame[1] = length;
  else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, header, "utf8");
  if (body.length > 0) frame.set(body, header + textBytes);
  if (rest !== "") frame.write(rest, header + textBytes + body.length, "utf8");
  return frame;
}

/** The text of such a frame. */
export function decodeTextFrame(frame: Uint8Array): string {
  const length = frame[1] ?? 0;
  const header = length < 126 ? 2 : length === 126 ? 4 : 10;
  return Buffer.from(frame.buffer, frame.byteOffset + header, frame.length - header).toString();
}
