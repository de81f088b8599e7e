import { isAbsolute } from 'node:path';

/**
 * An ONNX file names the files that hold its larger tensors as pairs of texts (StringStringEntryProto of onnx.proto, key in
 * field 1, value in field 2):
 *
 *   0a 08 l o c a t i o n 12 <length> m o d e l . o n n x . d a t a
 *
 * Looking for these bytes finds all of them without reading the whole as protobuf.
 */
const MARK = Buffer.from('\n\u0008location\u0012', 'latin1');
/** Bytes that a mark, its length and its value may take, so that none is cut in two between chunks. */
const LONGEST = 8 * 1024;

/** Collects the names from the chunks of a file. */
export class ExternalData {
  readonly #names = new Set<string>();
  #rest: Buffer = Buffer.alloc(0);

  /** As written in the file: relative to its folder. None that leads out of it: ONNX Runtime refuses those. */
  get names(): readonly string[] {
    return [...this.#names].filter((name) => !isAbsolute(name) && !name.split(/[/\\]/).includes('..'));
  }

  look(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + MARK.length)) {
      const name = textAt(bytes, at + MARK.length);
      if (name !== undefined) this.#names.add(name);
    }
    this.#rest = bytes.subarray(Math.max(0, bytes.length - LONGEST));
  }
}

/** A text with its length before it, as protobuf has it; undefined where it is cut off. */
const textAt = (bytes: Buffer, start: number): string | undefined => {
  let length = 0;
  for (let i = 0; i < 2; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return undefined;
    length |= (byte & 0x7f) << (7 * i);
    const from = start + i + 1;
    if (byte < 0x80)
      return from + length <= bytes.length ? bytes.toString('utf8', from, from + length) : undefined;
  }
  return undefined;
};
