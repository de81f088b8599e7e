import type { InvarianceClass, ModelInfo } from './model-info.js';

/** Which rows of different requests really ride together, all settings considered. */
export const servedClass = ({ batch, batching }: ModelInfo): InvarianceClass => {
  if (batch.mode === 'single' || batching.composition === 'off') return 'one-by-one';
  return batch.invariance?.enforced === true ? batch.invariance.class : 'any';
};

/** Most rows of different requests that ride together. */
export const mostRows = (info: ModelInfo): number =>
  servedClass(info) === 'one-by-one' ? 1 : (info.batch.size ?? info.batching.maxBatch);

/** How rows are joined where not freely, in words; why is in `batch.reason`. */
export const joiningText = ({ batch, takesTexts }: ModelInfo): string => {
  const alone = takesTexts ? 'one text at a time' : 'one request at a time';
  if (batch.mode === 'single') return alone;
  const { class: cls = 'any', enforced = false } = batch.invariance ?? {};
  if (cls !== 'any' && !enforced) return 'joined although rows change each other (batchInvariance: warn)';
  if (cls === 'equal-lengths') return 'only texts of equal length are joined';
  if (cls === 'one-by-one') return alone;
  return batch.mode === 'fixed' ? `in chunks of ${batch.size ?? 1}` : '';
};
