export { renderInfer } from './render-infer.js';
export { type ModelAndCost, renderModel, renderModels } from './render-model.js';
export { renderPredict } from './render-predict.js';
