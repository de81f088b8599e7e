export { jsonOfTensor } from './json-of-tensor.js';
export { describeSpec, tensorFromJson } from './tensor-from-json.js';
