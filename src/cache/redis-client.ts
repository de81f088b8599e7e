/** The few calls of a Redis client that are used. Rejections never matter more than a miss. */
export interface RedisClient {
  /** null where there is none. */
  getAll(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]>;
  /** Entries expire by themselves. */
  setAll(
    entries: readonly { readonly key: string; readonly value: Buffer; readonly ttlMs: number }[],
  ): Promise<void>;
  /** Drops the connection and what waits on it, and connects anew. */
  reconnect(): void;
  close(): void;
}

const LONGEST_PAUSE_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** Connects in the background, for ever. The library takes its time to load: only who has a Redis pays for it. */
export const connectRedis = async (url: string): Promise<RedisClient> => {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, {
    // A command that can't be sent now is a miss now.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // What every server speaks, and asks nothing at the start.
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(LONGEST_PAUSE_MS, 50 * 2 ** Math.min(attempt, 10)),
  });
  // Every command that fails says so itself; without a listener the library prints.
  redis.on('error', () => undefined);
  return {
    getAll: (keys) => redis.mgetBuffer(...keys),
    setAll: async (entries) => {
      const batch = redis.pipeline();
      for (const { key, value, ttlMs } of entries) batch.set(key, value, 'PX', Math.max(1, Math.ceil(ttlMs)));
      const replies = await batch.exec();
      const failure = replies?.find(([error]) => error !== null)?.[0];
      if (failure !== undefined && failure !== null) throw failure;
    },
    reconnect: () => redis.disconnect(true),
    close: () => redis.disconnect(),
  };
};
