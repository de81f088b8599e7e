import { createHash } from 'node:crypto';

/** An answer as it is kept: packed outputs, and when they were made. */
export interface Kept {
  readonly body: Uint8Array;
  /** Milliseconds since 1970. */
  readonly atUnixMs: number;
}

/** The last byte is the version of this form and of `packOutputs`. */
const MAGIC = Buffer.from([0x43, 0x50, 0x43, 1]);
const CHECK_BYTES = 8;
const HEAD_BYTES = MAGIC.byteLength + 8 + CHECK_BYTES;

/** What goes to Redis: `CPC` version │ time, float64 │ check │ body. */
export const seal = (key: string, { body, atUnixMs }: Kept): Buffer => {
  const sealed = Buffer.allocUnsafeSlow(HEAD_BYTES + body.byteLength);
  MAGIC.copy(sealed);
  sealed.writeDoubleLE(atUnixMs, MAGIC.byteLength);
  sealed.set(body, HEAD_BYTES);
  checkOf(key, sealed).copy(sealed, HEAD_BYTES - CHECK_BYTES);
  return sealed;
};

/** @returns undefined for what was not sealed under this key by this version, or has changed since */
export const unseal = (key: string, sealed: Uint8Array): Kept | undefined => {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.byteLength < HEAD_BYTES || !bytes.subarray(0, MAGIC.byteLength).equals(MAGIC)) return undefined;
  const check = bytes.subarray(HEAD_BYTES - CHECK_BYTES, HEAD_BYTES);
  if (!check.equals(checkOf(key, bytes))) return undefined;
  // A copy: the reply that it was part of is larger.
  return {
    body: Uint8Array.from(bytes.subarray(HEAD_BYTES)),
    atUnixMs: bytes.readDoubleLE(MAGIC.byteLength),
  };
};

/** Against accidents, not against people: who may write to Redis may answer for the model. */
const checkOf = (key: string, sealed: Buffer): Buffer =>
  createHash('sha256')
    .update(key)
    .update(sealed.subarray(0, HEAD_BYTES - CHECK_BYTES))
    .update(sealed.subarray(HEAD_BYTES))
    .digest()
    .subarray(0, CHECK_BYTES);
