import { createHash, type Hash } from 'node:crypto';
import type { Payload } from '../executor/join.js';
import type { Tensor } from '../tensor.js';

/** Larger inputs are not looked up: hashing holds the event loop for 1 ms a megabyte. */
export const MOST_INPUT_BYTES = 4 * 1024 * 1024;

/**
 * Names one input of one version of a model: SHA-256 over the version's fingerprint and the encoded input, with the
 * length of each part before it. A caller who could make two inputs collide would choose another caller's answer, so
 * nothing weaker will do.
 */
export const itemKey = (fingerprint: string, payload: Payload): string => {
  const hash = createHash('sha256').update(fingerprint);
  if (payload.kind === 'tensors') for (const tensor of payload.inputs) addTensor(hash, tensor);
  else {
    const { ids, typeIds, pool } = payload;
    hash.update(`text ${ids.length} ${typeIds?.length ?? 0} ${pool?.pooling ?? ''} ${pool?.output ?? ''}:`);
    hash.update(ids);
    if (typeIds !== undefined) hash.update(typeIds);
  }
  return hash.digest('base64url');
};

const addTensor = (hash: Hash, { dtype, dims, data }: Tensor): void => {
  const bytes = Array.isArray(data) ? Buffer.from(JSON.stringify(data)) : data;
  hash.update(`${dtype} ${dims.join(',')} ${bytes.byteLength}:`).update(bytes);
};

/** Bytes of an input, about. */
export const inputBytes = (payload: Payload): number => {
  if (payload.kind === 'text') return payload.ids.byteLength;
  let bytes = 0;
  for (const { data } of payload.inputs)
    bytes += Array.isArray(data) ? data.reduce((sum, text) => sum + 2 * text.length, 0) : data.byteLength;
  return bytes;
};
