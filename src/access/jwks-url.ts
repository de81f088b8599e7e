import { createLocalJWKSet, errors, type JWTVerifyGetKey, type LocalJWKSet } from 'jose';
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import { jwksOf } from './jwks.js';

export interface JwksUrlDeps {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Default: Node's. */
  readonly fetch?: typeof fetch;
}

/** Keys of this age are asked for again. */
const MAX_AGE_MS = 600_000;
/** Where nobody has asked for so long, the next token waits for the answer: what is known may be long withdrawn. */
const IDLE_MS = 3 * MAX_AGE_MS;
/** Least time between two attempts: a flood of tokens with made-up keys must not become one at the provider. */
const COOLDOWN_MS = 30_000;
const FETCH_TIMEOUT_MS = 5_000;

/**
 * The keys of an identity provider: read when a token needs them first, then every ten minutes, and for a key id that is
 * not known. Attempts are half a minute apart, failed ones too. While the provider does not answer, the keys known serve
 * on, and nobody who has one of them waits: its outage is not ours. (jose's own remote set does neither.)
 *
 * @returns chooses the key for a token by its `kid` and `alg`; rejects where there is none
 */
export const jwksAt = (url: string, { now, logger, fetch: get = fetch }: JwksUrlDeps): JWTVerifyGetKey => {
  let known: LocalJWKSet | undefined;
  let readAtMs = -Infinity;
  let triedAtMs = -Infinity;
  let reading: Promise<void> | undefined;
  /** When the last attempt began. */
  let wasIdle = true;

  const read = async (): Promise<void> => {
    try {
      const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      const response = await get(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
      if (!response.ok) throw new Error(`expected status 200, got ${response.status}`);
      known = createLocalJWKSet(jwksOf(await response.text()));
      readAtMs = now();
    } catch (error) {
      logger.warn({ url, reason: messageOf(error) }, 'access: the key set can not be read');
    }
  };

  const refresh = (): Promise<void> => {
    if (reading === undefined && now() - triedAtMs >= COOLDOWN_MS) {
      wasIdle = now() - triedAtMs >= IDLE_MS;
      triedAtMs = now();
      reading = read().finally(() => (reading = undefined));
    }
    return reading ?? Promise.resolve();
  };

  return async (header, token) => {
    if (now() - readAtMs >= MAX_AGE_MS) {
      const attempt = refresh();
      if (wasIdle) await attempt;
    }
    try {
      if (known === undefined) throw new errors.JWKSNoMatchingKey();
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const before = known;
      await refresh();
      if (known === undefined || known === before) throw error;
      return known(header, token);
    }
  };
};
