import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import { createPublicKey, type KeyObject } from 'node:crypto';
import path from 'node:path';
import type { JwtConfig } from '../config/access.js';
import { jwksOf } from './jwks.js';
import { jwksAt, type JwksUrlDeps } from './jwks-url.js';
import { WatchedFile } from './watched-file.js';

export interface JwtKeyDeps extends JwksUrlDeps {
  /** Folder that files are relative to. */
  readonly baseDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** RFC 7518, section 3.2: as long as the hash. */
const LEAST_SECRET_BYTES = 32;

/**
 * Where the key for a token comes from. Files are read again when they change.
 *
 * @throws Error where a file or variable is missing or holds something else
 */
export const jwtKeyOf = (jwt: JwtConfig, deps: JwtKeyDeps): JWTVerifyGetKey => {
  const { secretEnv, secretFile, publicKeyFile, jwksFile, jwksUrl } = jwt;
  const watched = <T>(file: string, parse: (text: string) => T): WatchedFile<T> =>
    new WatchedFile(path.resolve(deps.baseDir, file), parse, deps);
  if (secretEnv !== undefined) {
    const secret = secretOf(deps.env[secretEnv] ?? '');
    return () => Promise.resolve(secret);
  }
  if (secretFile !== undefined) {
    const file = watched(secretFile, secretOf);
    return async () => file.current();
  }
  if (publicKeyFile !== undefined) {
    const file = watched(publicKeyFile, (text) => publicKeyOf(text, jwt.algorithms[0] ?? ''));
    return async () => file.current();
  }
  if (jwksFile !== undefined) {
    const file = watched(jwksFile, (text) => createLocalJWKSet(jwksOf(text)));
    return async (header, token) => (await file.current())(header, token);
  }
  return jwksAt(jwksUrl ?? '', deps);
};

const secretOf = (text: string): Uint8Array => {
  const secret = Buffer.from(text.trim());
  if (secret.byteLength >= LEAST_SECRET_BYTES) return secret;
  throw new Error(
    `expected a secret of at least ${LEAST_SECRET_BYTES} bytes, got ${secret.byteLength === 0 ? 'none' : secret.byteLength}`,
  );
};

const KEY_TYPE: Readonly<Record<string, string>> = { RS256: 'rsa', ES256: 'ec' };

const publicKeyOf = (pem: string, algorithm: string): KeyObject => {
  const key = createPublicKey(pem);
  const wanted = KEY_TYPE[algorithm];
  if (key.asymmetricKeyType === wanted) return key;
  throw new Error(
    `expected a key for ${algorithm} (${wanted ?? ''}), got ${key.asymmetricKeyType ?? 'another'}`,
  );
};
