export { parseInfer } from './parse-infer.js';
export type { ParseView } from './parse-inputs.js';
export { isModelName, type LoadRequest, parseLoad } from './parse-load.js';
export { parsePredict } from './parse-predict.js';
