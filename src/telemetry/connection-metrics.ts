import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * Why a connection was ended by us: too many of them; too many requests on it at a time; its client does not read; its
 * TLS handshake failed.
 */
export type CutReason = 'max_connections' | 'pipelining' | 'not_reading' | 'tls_handshake';

export interface ConnectionMetrics {
  /** `fn` is asked at every scrape: connections open now. */
  bind(fn: () => number): void;
  cut(reason: CutReason): void;
}

export const createConnectionMetrics = (registry: Registry): ConnectionMetrics => {
  const registers = [registry];
  let read = (): number => 0;
  new Gauge({
    name: 'carpool_connections',
    help: 'HTTP connections open now.',
    registers,
    collect() {
      this.set(read());
    },
  });
  const cut = new Counter({
    name: 'carpool_connections_cut_total',
    help: 'HTTP connections that the server ended, by reason.',
    labelNames: ['reason'],
    registers,
  });
  return {
    bind: (fn) => {
      read = fn;
    },
    cut: (reason) => cut.inc({ reason }),
  };
};
