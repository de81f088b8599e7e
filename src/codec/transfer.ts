import { isArrayBuffer } from 'node:util/types';

/** Below this, copying is cheaper than detaching and re-attaching a buffer. */
const MIN_TRANSFER_BYTES = 16_384;

/**
 * The buffers behind `arrays` that a message may move instead of copy, each once: those that an array fills whole. The
 * buffer of a partial view, such as one of Node's pooled Buffers, belongs to others too.
 */
export const ownedBuffers = (arrays: readonly (ArrayBufferView | readonly string[])[]): ArrayBuffer[] => {
  const buffers = new Set<ArrayBuffer>();
  for (const array of arrays) {
    if (!ArrayBuffer.isView(array)) continue;
    const { buffer, byteLength } = array;
    if (byteLength >= MIN_TRANSFER_BYTES && byteLength === buffer.byteLength && isArrayBuffer(buffer))
      buffers.add(buffer);
  }
  return [...buffers];
};

/** `bytes` if they fill their buffer, else a copy that does: posting a view would clone all of its buffer. */
export const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
