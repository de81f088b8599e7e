import { openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

const TICK_MS = 1;
const KEPT = 10;
/** Kinds of garbage collection. */
const KINDS = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weak' };

/**
 * Milliseconds that this thread has been on a core, and those in which it stood in line for one, as Linux counts them:
 * the second is what a busy machine adds to a gap. What is in neither was spent blocked, in a lock or in the kernel.
 */
const ownTimes = (() => {
  let file;
  try {
    file = openSync(`/proc/${process.pid}/task/${process.pid}/schedstat`);
  } catch {
    return () => ({ cpu: NaN, waited: NaN });
  }
  const buffer = Buffer.alloc(128);
  return () => {
    const [cpu, waited] = buffer.toString('latin1', 0, readSync(file, buffer, 0, 128, 0)).split(' ');
    return { cpu: Number(cpu) / 1e6, waited: Number(waited) / 1e6 };
  };
})();

/**
 * Measures how long the event loop of this process is held: a timer of 1 ms that notes how late it comes, and Node's own
 * histogram beside it. Long garbage collections are noted, since they are what a stall may turn out to be.
 */
export class LoopMeter {
  #histogram = monitorEventLoopDelay({ resolution: TICK_MS });
  #gaps = [];
  #collections = [];
  #lastAt = performance.now();
  #lastTimes = ownTimes();

  constructor() {
    new PerformanceObserver((list) => {
      for (const { startTime, duration, detail } of list.getEntries())
        this.#collections.push({ at: startTime, ms: duration, kind: KINDS[detail.kind] ?? 'other' });
    }).observe({ entryTypes: ['gc'] });
    this.#histogram.enable();
    this.#tick();
  }

  reset() {
    this.#histogram.reset();
    this.#gaps = [];
    this.#collections = [];
  }

  /**
   * Since the last reset; NaN where the system does not tell. `longest`: the largest gaps, each with its `ms` beyond the
   * timer's own, and how these came about: `cpuMs` of work, `waitedMs` without a core, the rest blocked.
   */
  read() {
    const longest = this.#longest();
    const over = (ms) => this.#gaps.filter((gap) => gap.ms > ms).length;
    return {
      ticks: this.#gaps.length,
      maxMs: longest[0]?.ms ?? 0,
      maxCpuMs: this.#gaps.reduce((max, gap) => Math.max(max, gap.cpuMs), 0),
      maxWithoutWaitMs: this.#gaps.reduce((max, gap) => Math.max(max, gap.ms - gap.waitedMs), 0),
      over10: over(10),
      over20: over(20),
      histogramMaxMs: this.#histogram.max / 1e6 - TICK_MS,
      histogramP99Ms: this.#histogram.percentile(99) / 1e6 - TICK_MS,
      longest,
    };
  }

  #longest() {
    const largest = this.#gaps.toSorted((a, b) => b.ms - a.ms).slice(0, KEPT);
    return largest.map((gap) => {
      const inside = this.#collections.filter(({ at }) => at >= gap.at - gap.ms - TICK_MS && at <= gap.at);
      return {
        ...gap,
        gcMs: inside.reduce((sum, one) => sum + one.ms, 0),
        gc: inside.map(({ kind, ms }) => `${kind} ${ms.toFixed(1)}`).join(', '),
      };
    });
  }

  #tick() {
    setTimeout(() => {
      const at = performance.now();
      const times = ownTimes();
      const { cpu, waited } = this.#lastTimes;
      this.#gaps.push({
        at,
        ms: at - this.#lastAt - TICK_MS,
        cpuMs: times.cpu - cpu,
        waitedMs: times.waited - waited,
      });
      this.#lastAt = at;
      this.#lastTimes = times;
      this.#tick();
    }, TICK_MS);
  }
}
