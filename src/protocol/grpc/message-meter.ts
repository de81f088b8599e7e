/** Flag and length: what stands before each message of gRPC. */
const PREFIX_BYTES = 5;
const LENGTH_AT = 1;

/** Follows the messages of a call through the chunks that they come in, and keeps none of them. */
export class MessageMeter {
  /** Of the prefix that is being read. */
  #prefixBytes = 0;
  #lengthBytes = 0;
  /** Of the message that is being read. */
  #missingBytes = 0;

  /** A message has begun and has not come to its end. */
  get isInside(): boolean {
    return this.#prefixBytes > 0;
  }

  /** @returns whether a message ended in it */
  add(chunk: Uint8Array): boolean {
    let hasEnded = false;
    for (let at = 0; at < chunk.byteLength;) {
      if (this.#prefixBytes < PREFIX_BYTES) this.#readPrefix(chunk[at++] ?? 0);
      const taken =
        this.#prefixBytes < PREFIX_BYTES ? 0 : Math.min(this.#missingBytes, chunk.byteLength - at);
      at += taken;
      this.#missingBytes -= taken;
      if (this.#prefixBytes < PREFIX_BYTES || this.#missingBytes > 0) continue;
      this.#prefixBytes = 0;
      hasEnded = true;
    }
    return hasEnded;
  }

  #readPrefix(byte: number): void {
    if (this.#prefixBytes < LENGTH_AT) this.#lengthBytes = 0;
    else this.#lengthBytes = this.#lengthBytes * 256 + byte;
    if (++this.#prefixBytes === PREFIX_BYTES) this.#missingBytes = this.#lengthBytes;
  }
}
