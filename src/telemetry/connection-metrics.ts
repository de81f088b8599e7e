import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * Why a connection was ended by us: too many of them; too many requests on it at a time; its client does not read; its
 * TLS handshake failed.
 */
export type CutReason = 'max_connections' | 'pipelining' | 'not_reading' | 'tls_handshake';

export interface ConnectionMetrics {
  /** `fn` is asked at every scrape: connections open now. Those of several servers are added up. */
  bind(fn: () => number): void;
  cut(reason: CutReason): void;
}

export const createConnectionMetrics = (registry: Registry): ConnectionMetrics => {
  const registers = [registry];
  const reads: (() => number)[] = [];
  new Gauge({
    name: 'carpool_connections',
    help: 'Connections open now.',
    registers,
    collect() {
      this.set(reads.reduce((sum, read) => sum + read(), 0));
    },
  });
  const cut = new Counter({
    name: 'carpool_connections_cut_total',
    help: 'Connections that the server ended, by reason.',
    labelNames: ['reason'],
    registers,
  });
  return {
    bind: (fn) => void reads.push(fn),
    cut: (reason) => cut.inc({ reason }),
  };
};
