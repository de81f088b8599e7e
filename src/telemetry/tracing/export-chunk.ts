const CHUNK_BYTES = 256 * 1024;
/** Of UTF-8, for a code unit of a string. */
const MOST_BYTES = 3;

/** The body of one export, printed span by span outside of the heap: strings that wait would be the collector's work. */
export class ExportChunk {
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  readonly #head: string;
  readonly #tail: string;
  #bytes = 0;
  #spans = 0;

  constructor({ head, tail }: { readonly head: string; readonly tail: string }) {
    this.#head = head;
    this.#tail = tail;
    this.clear();
  }

  get spans(): number {
    return this.#spans;
  }

  /** To be filled anew. */
  clear(): void {
    this.#bytes = this.#buffer.write(this.#head);
    this.#spans = 0;
  }

  /** @returns false where there is no room */
  add(json: string): boolean {
    const room = CHUNK_BYTES - this.#bytes - this.#tail.length - 1;
    if (json.length * MOST_BYTES > room) return false;
    if (this.#spans > 0) this.#bytes += this.#buffer.write(',', this.#bytes);
    this.#bytes += this.#buffer.write(json, this.#bytes);
    this.#spans++;
    return true;
  }

  /** Nothing can be added after, before it is cleared; and that, not before the bytes are sent. */
  body(): Buffer {
    const end = this.#bytes + this.#buffer.write(this.#tail, this.#bytes);
    return this.#buffer.subarray(0, end);
  }
}
