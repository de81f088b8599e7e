import { once } from 'node:events';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Quota } from './quotas.js';
import { storeOf, type QuotaStore } from './store.js';

/** A request waits so long for Redis at most, then it counts as down. */
const COMMAND_TIMEOUT_MS = 250;
const CLOSE_MS = 100;
const LONGEST_RECONNECT_MS = 2000;

/**
 * Counts in Redis, so that several gateways share one count. Loads ioredis, and gives it a moment to connect: the first
 * request is counted, too. A connection that is lost is made again for ever.
 */
export const createRedisStore = async (url: string, quotas: readonly Quota[]): Promise<QuotaStore> => {
  const { Redis } = await import('ioredis');
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // It holds the process for so long when it is closed without a connection.
    disconnectTimeout: CLOSE_MS,
    retryStrategy: (times) => Math.min(100 * times, LONGEST_RECONNECT_MS),
  });
  // Whoever asks in vain is told.
  client.on('error', () => undefined);
  const signal = AbortSignal.timeout(COMMAND_TIMEOUT_MS);
  await once(client, 'ready', { signal }).catch(() => undefined);
  return storeOf(
    quotas,
    (options) => new RateLimiterRedis({ ...options, storeClient: client, rejectIfRedisNotReady: true }),
    () => client.disconnect(),
  );
};
