import { createClientAddress, type ClientAddress } from './client-address.js';
import type { Config } from './config/schema.js';
import { createCors } from './http/cors.js';
import type { ExchangeDeps } from './http/exchange.js';
import { securityHeaders } from './http/security-headers.js';
import { Limiter, type Charge, type Charged } from './limits/limiter.js';
import { quotasOf } from './limits/quotas.js';
import { createRedisStore } from './limits/redis-store.js';
import { createMemoryStore, type QuotaStore } from './limits/store.js';
import type { Logger } from './telemetry/logger.js';
import type { Metrics } from './telemetry/metrics.js';

/** What stands between the network and the gateway: who calls, how much, and what every answer says to browsers. */
export interface OuterWall {
  readonly addressOf: ClientAddress;
  /** Takes one request from the caller's quotas; undefined where there are none. */
  readonly admit: ((request: Charged) => Promise<void>) | undefined;
  readonly charge: Charge | undefined;
  readonly exchange: Pick<ExchangeDeps, 'headers' | 'cors' | 'addressOf' | 'sendTimeoutMs' | 'onCut'>;
  close(): void;
}

export interface OuterWallDeps {
  readonly settings: Config;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export const createOuterWall = (deps: OuterWallDeps): OuterWall => {
  const { server } = deps.settings;
  const { connections } = deps.metrics;
  const addressOf = createClientAddress(server.trustProxy);
  const limiter = createLimiter(deps);
  const charge: Charge | undefined = limiter && ((request, work) => limiter.charge(request, work));
  return {
    addressOf,
    admit:
      charge &&
      (async (request) => {
        await charge(request, { requests: 1 });
      }),
    charge,
    exchange: {
      addressOf,
      headers: securityHeaders(),
      cors: createCors(server.cors.origins),
      sendTimeoutMs: server.sendTimeoutMs,
      onCut: (reason) => connections.cut(reason),
    },
    close: () => limiter?.close(),
  };
};

const createLimiter = ({ settings, metrics, logger, now }: OuterWallDeps): Limiter | undefined => {
  const { limits } = settings;
  const quotas = quotasOf(limits);
  if (quotas.length === 0) return undefined;
  const { redisUrl } = limits;
  const store =
    redisUrl === false ? createMemoryStore(quotas) : openedWhenUsed(() => createRedisStore(redisUrl, quotas));
  return new Limiter({
    ...{ quotas, store, now },
    onStoreFailure: limits.onRedisFailure,
    onRefused: (reason) => metrics.limits.refused(reason),
    onStoreFault: (reason) => {
      metrics.limits.storeFailed();
      // The address is not logged: there may be a password in it.
      logger.warn({ reason }, 'rate limits: Redis can not be asked');
    },
  });
};

/** A gateway that only was made has no connections. */
const openedWhenUsed = (open: () => Promise<QuotaStore>): QuotaStore => {
  let opened: Promise<QuotaStore> | undefined;
  const store = (): Promise<QuotaStore> => (opened ??= open());
  return {
    take: async (...asked) => (await store()).take(...asked),
    giveBack: async (...given) => (await store()).giveBack(...given),
    close: () => void opened?.then((open) => open.close()).catch(() => undefined),
  };
};
