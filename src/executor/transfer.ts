import type { TensorData } from '../tensor.js';

/** Below this, copying is as cheap as detaching and re-attaching a buffer (measured: even at 1 to 2 KB). */
const MIN_TRANSFER_BYTES = 2_048;

/**
 * The buffers of these tensors that may be moved instead of copied: whole (a view's buffer belongs to others too),
 * large enough, each once.
 */
export const transferable = (tensors: readonly { readonly data: TensorData }[]): ArrayBuffer[] => {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors) {
    if (Array.isArray(data)) continue;
    const { buffer, byteLength } = data;
    if (byteLength === buffer.byteLength && byteLength >= MIN_TRANSFER_BYTES && isMovable(buffer))
      buffers.add(buffer);
  }
  return [...buffers];
};

/** By its tag: in another realm (a test runner's, say) `instanceof` is false. A SharedArrayBuffer can't be moved. */
const isMovable = (buffer: ArrayBufferLike): buffer is ArrayBuffer =>
  buffer[Symbol.toStringTag] === 'ArrayBuffer';
