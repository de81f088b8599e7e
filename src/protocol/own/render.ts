export { renderInfer } from './render-infer.js';
export { type ModelAndCost, renderModel, renderModels } from './render-model.js';
export { renderLine, renderPredict } from './render-predict.js';
