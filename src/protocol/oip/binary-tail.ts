import { refuse } from '../own/fields.js';

/**
 * The raw tensors behind the JSON, handed out in the order of the inputs, as views:
 *
 *   {"inputs":[…]}│ tensor 0 │ tensor 1 │ …
 *                 └─ tail
 */
export class BinaryTail {
  readonly #bytes: Uint8Array;
  #taken = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws CarpoolError INVALID_REQUEST when so many are not left */
  take(size: number, where: string): Uint8Array {
    const from = this.#taken;
    const left = this.#bytes.byteLength - from;
    if (size > left)
      throw refuse(where, `expected ${size} bytes of binary data (parameters.binary_data_size), got ${left}`);
    this.#taken += size;
    return this.#bytes.subarray(from, this.#taken);
  }

  /** @throws CarpoolError INVALID_REQUEST when bytes are left over */
  end(): void {
    const { byteLength } = this.#bytes;
    if (this.#taken !== byteLength)
      throw refuse(
        'body',
        `expected ${this.#taken} bytes of binary data behind the JSON (the sum of binary_data_size), got ${byteLength}`,
      );
  }
}
