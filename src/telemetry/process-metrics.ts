import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** The monitor is a timer of this period: a stall is seen up to one period short. */
const RESOLUTION_MS = 10;

/** The part of Node's monitor that is used; times in nanoseconds. */
export type LoopMonitor = Pick<
  IntervalHistogram,
  'enable' | 'disable' | 'reset' | 'percentile' | 'count' | 'max'
>;

/**
 * The process and its event loop, under prom-client's usual names. Its own `collectDefaultMetrics` starts a
 * garbage-collection observer and a timer that nothing can stop; `stop` here leaves nothing behind.
 */
export const createProcessMetrics = (
  registry: Registry,
  monitor: LoopMonitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS }),
): { readonly stop: () => void } => {
  addLoopDelay(registry, monitor);
  gauge(registry, 'process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge(
    registry,
    'nodejs_heap_size_used_bytes',
    'JavaScript heap in use.',
    () => process.memoryUsage().heapUsed,
  );
  gauge(
    registry,
    'nodejs_external_memory_bytes',
    'Buffers outside of the heap.',
    () => process.memoryUsage().external,
  );
  gauge(
    registry,
    'process_start_time_seconds',
    'Start of the process, seconds since 1970.',
    () => performance.timeOrigin / 1000,
  );
  new Gauge({
    name: 'process_open_fds',
    help: 'Open file descriptors: connections, mostly.',
    registers: [registry],
    async collect() {
      // One of them is that of this reading.
      this.set(Math.max(0, (await readdir('/proc/self/fd').catch(() => [])).length - 1));
    },
  });
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, all threads, user and system.',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  return { stop: () => void monitor.disable() };
};

const addLoopDelay = (registry: Registry, monitor: LoopMonitor): void => {
  monitor.enable();
  // The monitor counts its own period; only what comes on top of it is delay. Empty until its first tick: NaN.
  const seconds = (nanoseconds: number): number =>
    Number.isFinite(nanoseconds) && monitor.count > 0
      ? Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000)
      : 0;
  const help = (what: string): string => `Event loop delay since the last scrape, ${what}.`;
  gauge(registry, 'nodejs_eventloop_lag_p50_seconds', help('median'), () => seconds(monitor.percentile(50)));
  gauge(registry, 'nodejs_eventloop_lag_p99_seconds', help('99th percentile'), () =>
    seconds(monitor.percentile(99)),
  );
  // Collected last, in the order of registration: it starts the next period.
  gauge(registry, 'nodejs_eventloop_lag_max_seconds', help('longest'), () => {
    const longest = seconds(monitor.max);
    monitor.reset();
    return longest;
  });
};

const gauge = (registry: Registry, name: string, help: string, read: () => number): void => {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
};
