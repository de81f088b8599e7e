import { Counter, type Registry } from 'prom-client';

export interface AccessMetrics {
  refused(reason: 'missing' | 'invalid' | 'forbidden'): void;
}

export const createAccessMetrics = (registry: Registry): AccessMetrics => {
  const failures = new Counter({
    name: 'carpool_auth_failures_total',
    help: 'Calls refused with 401 or 403 because of who made them.',
    labelNames: ['reason'],
    registers: [registry],
  });
  return { refused: (reason) => failures.inc({ reason }) };
};
