import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Quota } from './quotas.js';
import { storeOf, type QuotaStore } from './store.js';

/** A request waits so long for Redis at most, then it counts as down. */
const COMMAND_TIMEOUT_MS = 250;
const CLOSE_MS = 100;
const LONGEST_RECONNECT_MS = 2000;

/**
 * Counts in Redis, so that several gateways share one count. Loads ioredis; nothing waits for the connection, which is
 * made again for ever.
 *
 * @param onFault told of every connection error; several a second while Redis is down
 */
export const createRedisStore = async (
  url: string,
  quotas: readonly Quota[],
  onFault: (message: string) => void,
): Promise<QuotaStore> => {
  const { Redis } = await import('ioredis');
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // It holds the process for so long when it is closed without a connection.
    disconnectTimeout: CLOSE_MS,
    retryStrategy: (times) => Math.min(100 * times, LONGEST_RECONNECT_MS),
  });
  client.on('error', (error: Error) => onFault(error.message));
  return storeOf(
    quotas,
    (options) => new RateLimiterRedis({ ...options, storeClient: client, rejectIfRedisNotReady: true }),
    () => client.disconnect(),
  );
};
