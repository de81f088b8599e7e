import { isUtf8 } from 'node:buffer';
import { refuse } from '../own/fields.js';

/**
 * BYTES elements on the wire, each after its length:
 *
 *   05 00 00 00  h  e  l  l  o  00 00 00 00  …
 */
const LENGTH_BYTES = 4;

/** @throws CarpoolError INVALID_REQUEST where the bytes are not exactly `count` elements of UTF-8 */
export const readStrings = (bytes: Uint8Array, count: number, where: string): string[] => {
  const smallest = count * LENGTH_BYTES;
  if (bytes.byteLength < smallest)
    throw refuse(
      where,
      `expected at least ${smallest} bytes for ${count} BYTES elements, got ${bytes.byteLength}`,
    );
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings: string[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    const from = at + LENGTH_BYTES;
    if (from > buffer.length)
      throw refuse(where, `expected ${count} BYTES elements, got ${index} in ${buffer.length} bytes`);
    const length = buffer.readUInt32LE(at);
    const to = from + length;
    if (to > buffer.length)
      throw refuse(
        where,
        `element ${index} says that it has ${length} bytes, got ${buffer.length - from} behind its length`,
      );
    strings.push(readText(buffer.subarray(from, to), `${where}: element ${index}`));
    at = to;
  }
  if (at < buffer.length)
    throw refuse(where, `expected ${at} bytes for ${count} BYTES elements, got ${buffer.length}`);
  return strings;
};

/** @throws CarpoolError INVALID_REQUEST: ONNX Runtime's strings are text, other bytes would not come back as they were */
export const readText = (bytes: Buffer, where: string): string => {
  if (!isUtf8(bytes)) throw refuse(where, `expected UTF-8, got ${bytes.length} other bytes`);
  return bytes.toString('utf8');
};

export const writeStrings = (strings: readonly string[]): Buffer => {
  const lengths = strings.map((text) => Buffer.byteLength(text));
  const total = lengths.reduce((sum, length) => sum + length, strings.length * LENGTH_BYTES);
  const buffer = Buffer.allocUnsafe(total);
  let at = 0;
  for (const [index, text] of strings.entries()) {
    at = buffer.writeUInt32LE(lengths[index] ?? 0, at);
    at += buffer.write(text, at);
  }
  return buffer;
};
