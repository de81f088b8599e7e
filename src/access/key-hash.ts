import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Keys are 256 random bits, so one SHA-256 is enough at rest: slow hashes (bcrypt, argon2) make up for secrets that can be
 * guessed, and would cost every request 50 ms or more. A key that somebody thought up must not be used here.
 */
const KEY_BYTES = 32;
/** Tells leak scanners and people what they have found. */
const KEY_PREFIX = 'carpool_';
const HASH_PREFIX = 'sha256:';

export const KEY_HASH = /^sha256:[0-9a-f]{64}$/;

/** `carpool_` and 43 characters of base64url. */
export const newKey = (): string => KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');

const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/** `sha256:` and 64 hexadecimal digits, as config.yaml has it. */
export const hashOfKey = (key: string): string => HASH_PREFIX + digestOf(key).toString('hex');

/** Finds what belongs to a key. Looks at every hash each time, in constant time: about 0.1 µs a key. */
export class KeyRing<T> {
  readonly #entries: readonly { readonly digest: Buffer; readonly value: T }[];

  /** @param entries `hash` as `hashOfKey` writes it */
  constructor(entries: readonly { readonly hash: string; readonly value: T }[]) {
    this.#entries = entries.map(({ hash, value }) => ({
      digest: Buffer.from(hash.slice(HASH_PREFIX.length), 'hex'),
      value,
    }));
  }

  find(key: string): T | undefined {
    const digest = digestOf(key);
    let found: T | undefined;
    for (const entry of this.#entries) if (timingSafeEqual(entry.digest, digest)) found = entry.value;
    return found;
  }
}
