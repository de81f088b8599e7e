export { Batcher, type BatcherDeps, type RunGroup, type Ticket } from './batcher.js';
export { BatcherError, type BatcherErrorCode } from './errors.js';
export { planFifo } from './plan.js';
export type * from './types.js';
