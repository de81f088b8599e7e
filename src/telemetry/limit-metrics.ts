import { Counter, type Registry } from 'prom-client';

export interface LimitMetrics {
  /** `reason`: the quota's name, or `store_down`. */
  refused(reason: string): void;
  storeFailed(): void;
}

export const createLimitMetrics = (registry: Registry): LimitMetrics => {
  const registers = [registry];
  const refused = new Counter({
    name: 'carpool_rate_limited_total',
    help: 'Requests refused because their caller had used up a quota.',
    labelNames: ['reason'],
    registers,
  });
  const failures = new Counter({
    name: 'carpool_rate_limit_store_failures_total',
    help: 'Times that Redis could not be asked for quotas.',
    registers,
  });
  return { refused: (reason) => refused.inc({ reason }), storeFailed: () => failures.inc() };
};
