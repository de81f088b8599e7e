export { Batcher, type BatcherDeps, type BatcherKnobs, type RunGroup, type Ticket } from './batcher.js';
export { areaOf, costMs, type CostBasis, type CostCoefficients, type RunShape } from './cost.js';
export { CostModel, type CostFit } from './cost-model.js';
export { BatcherError, type BatcherErrorCode } from './errors.js';
export { fitCost, type CostSample } from './fit-cost.js';
export { planCost } from './plan-cost.js';
export { planFifo } from './plan-fifo.js';
export type * from './types.js';
export { unpaddedMs, wasteOf } from './waste.js';
