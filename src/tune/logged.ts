import type { CostModel } from '#batcher';
import type { CalibrationDeps } from '../models/calibrate.js';
import type { RunLog } from '../models/run-log.js';

/** A cost model that writes down what it is taught. */
export const logged = (cost: CostModel, log: RunLog): CalibrationDeps['cost'] => ({
  basis: cost.basis,
  predict: (shape) => cost.predict(shape),
  observe: (shape, ms) => {
    log.add(shape, ms);
    cost.observe(shape, ms);
  },
  calibrated: (samples) => cost.calibrated(samples),
});
