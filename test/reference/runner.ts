import { openLinkOf } from '../../src/executor/open-link.js';
import type { InferOptions, InferResult, TextUnit } from '../../src/infer.js';
import type { ModelInfo } from '../../src/models/model-info.js';
import { Pipeline } from '../../src/pipeline.js';
import { createSystemClock } from '../../src/telemetry/system-clock.js';
import { startModelHost } from '../support/model-host.js';
import { REFERENCE_MODELS } from './golden.js';

/** The reference models as the gateway finds and runs them, without a protocol around them. */
export interface Runner {
  info(model: string): ModelInfo;
  infer(model: string, texts: readonly TextUnit[], options?: InferOptions): Promise<InferResult>;
  close(): Promise<void>;
}

const caller = {
  caller: 'test',
  elapsedMs: 0,
  signal: new AbortController().signal,
  onGone: () => () => undefined,
};

/** Loads `models`, all in this folder, without a card. */
export const startRunner = async (models: readonly string[]): Promise<Runner> => {
  const host = await startModelHost(REFERENCE_MODELS, openLinkOf('thread'), {
    // Held back a little, so that what is asked at once rides together on any machine.
    batching: { calibrate: 'off', maxWaitMs: 2 },
  });
  const pipeline = new Pipeline(host.codec, createSystemClock());
  for (const model of models) await host.registry.load(model, model);
  return {
    info: (model) => host.registry.get(model).info,
    infer: (model, texts, options = {}) => {
      const request = { model, input: { kind: 'texts' as const, texts }, options };
      return pipeline.infer(host.registry.get(model), request, caller);
    },
    close: async () => {
      for (const { info } of host.registry.all) await host.registry.unload(info.name);
      await host.close();
    },
  };
};

/** Each text in a request of its own, and then all in one: what the others are must not matter. */
export const eachWay = async <T>(
  units: readonly TextUnit[],
  ask: (units: readonly TextUnit[]) => Promise<readonly T[]>,
): Promise<[way: string, answers: readonly T[]][]> => {
  const alone: T[] = [];
  for (const unit of units) alone.push(...(await ask([unit])));
  return [
    ['alone', alone],
    ['together', await ask(units)],
  ];
};
