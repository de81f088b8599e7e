import { Gauge, type Registry } from 'prom-client';
import { VERSION } from '../version.js';

/** What is served, at the moment of a scrape. */
export interface StateView {
  /** As `/readyz` says. */
  readonly ready: boolean;
  readonly models: readonly ServedView[];
  /** Models whose load failed and that are not served. */
  readonly failed: number;
  /** Models that are being loaded. */
  readonly loading: number;
}

export interface ServedView {
  readonly name: string;
  readonly version: string;
  readonly task: string;
  /** How its rows may be joined: `any`, `equal-lengths`, `one-by-one`. */
  readonly joining: string;
  readonly loadedAtUnixSeconds: number;
}

export interface StateMetrics {
  /** `fn` is asked at every scrape. */
  bind(fn: () => StateView): void;
}

const NOTHING: StateView = { ready: false, models: [], failed: 0, loading: 0 };

/** Gauges of what runs and what it serves; between scrapes they cost nothing. */
export const createStateMetrics = (registry: Registry): StateMetrics => {
  const registers = [registry];
  let view = (): StateView => NOTHING;
  new Gauge({
    name: 'carpool_build_info',
    help: 'Always 1.',
    labelNames: ['version', 'node'],
    registers,
    collect() {
      this.set({ version: VERSION, node: process.version }, 1);
    },
  });
  new Gauge({
    name: 'carpool_ready',
    help: '1 while /readyz answers 200.',
    registers,
    collect() {
      this.set(Number(view().ready));
    },
  });
  new Gauge({
    name: 'carpool_models',
    help: 'Models by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const { models, failed, loading } = view();
      this.set({ state: 'ready' }, models.length);
      this.set({ state: 'failed' }, failed);
      this.set({ state: 'loading' }, loading);
    },
  });
  new Gauge({
    name: 'carpool_model_info',
    help: 'Always 1: what is served under a name.',
    labelNames: ['model', 'version', 'task', 'joining'],
    registers,
    collect() {
      this.reset();
      for (const { name: model, version, task, joining } of view().models)
        this.set({ model, version, task, joining }, 1);
    },
  });
  new Gauge({
    name: 'carpool_model_loaded_timestamp_seconds',
    help: 'When it was loaded, seconds since 1970.',
    labelNames: ['model'],
    registers,
    collect() {
      this.reset();
      for (const { name: model, loadedAtUnixSeconds } of view().models)
        this.set({ model }, loadedAtUnixSeconds);
    },
  });
  return {
    bind: (fn) => {
      view = fn;
    },
  };
};
