import { joinPayloads, type Payload } from '../executor/join.js';
import type { LaneBatch } from '../executor/protocol.js';
import type { BatchMode } from './model-info.js';

/**
 * One lone row and one batch, so that both paths through the runtime have their memory and their kernels ready. The batch
 * is one that the model will be given: of equal lengths where only those ride together, none where nothing does.
 */
export const warmupOf = (samples: readonly Payload[], mode: BatchMode): LaneBatch[] => {
  const [first] = samples;
  if (first === undefined) return [];
  const alone = joinPayloads([first]);
  if (mode.mode !== 'dynamic') return [alone];
  const mixed = mode.invariance?.enforced !== true || mode.invariance.class === 'any';
  return [alone, joinPayloads(mixed ? samples : [first, first])];
};
