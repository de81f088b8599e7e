/**
 * First room made for a long body; beyond it, what the client claims to send is not believed until it arrives. Memory that
 * is not written yet costs nothing, moving a body of half a megabyte twice costs 0.2 ms.
 */
const FIRST_BYTES = 1024 * 1024;

/**
 * Puts chunks into one piece of memory while they arrive. The memory grows with what has arrived, to at most twice of
 * it, and to exactly `expectedBytes` where that is known: nothing is copied at the end.
 */
export class ByteSink {
  readonly #expectedBytes: number | undefined;
  #bytes: Uint8Array;
  #length = 0;

  constructor(expectedBytes: number | undefined) {
    this.#expectedBytes = expectedBytes;
    this.#bytes = new Uint8Array(Math.min(FIRST_BYTES, expectedBytes ?? FIRST_BYTES));
  }

  get length(): number {
    return this.#length;
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength;
    if (length > this.#bytes.byteLength) this.#growTo(length);
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** All bytes, alone in their buffer. */
  take(): Uint8Array {
    return this.#length === this.#bytes.byteLength ? this.#bytes : this.#bytes.slice(0, this.#length);
  }

  #growTo(length: number): void {
    const doubled = Math.max(length, 2 * this.#bytes.byteLength);
    const grown = new Uint8Array(Math.min(doubled, Math.max(length, this.#expectedBytes ?? Infinity)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
