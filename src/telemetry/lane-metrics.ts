import { Counter, Gauge, type Registry } from 'prom-client';
import { residentBytesOf } from './resident-bytes.js';

export interface LaneMetrics {
  /** `fn` is asked at every scrape: number of lanes by state. @returns what unbinds it */
  bind(fn: () => Readonly<Record<string, number>>): () => void;
  /** `fn` is asked at every scrape: process ids of the lanes that are processes. */
  bindPids(fn: () => readonly number[]): void;
  /** A lane died or was abandoned, and another took its place. */
  restarted(): void;
  /** A lane was replaced because its memory had grown. */
  recycled(): void;
}

export const createLaneMetrics = (registry: Registry): LaneMetrics => {
  const registers = [registry];
  let read: (() => Readonly<Record<string, number>>) | undefined;
  new Gauge({
    name: 'carpool_lanes',
    help: 'Lanes by state.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      for (const [state, count] of Object.entries(read?.() ?? {})) this.set({ state }, count);
    },
  });
  let pids: () => readonly number[] = () => [];
  new Gauge({
    name: 'carpool_lanes_resident_memory_bytes',
    help: 'Resident memory of the lanes that are processes, all together.',
    registers,
    async collect() {
      const each = await Promise.all(pids().map(residentBytesOf));
      this.set(each.reduce((sum, bytes) => sum + bytes, 0));
    },
  });
  const restarts = new Counter({
    name: 'carpool_lane_restarts_total',
    help: 'Lanes replaced because they died or hung.',
    registers,
  });
  const recycles = new Counter({
    name: 'carpool_lane_recycles_total',
    help: 'Process lanes replaced because their memory had grown.',
    registers,
  });
  return {
    bind: (fn) => {
      read = fn;
      return () => {
        if (read === fn) read = undefined;
      };
    },
    bindPids: (fn) => {
      pids = fn;
    },
    restarted: () => restarts.inc(),
    recycled: () => recycles.inc(),
  };
};
