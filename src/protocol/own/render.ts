export { renderInfer } from './render-infer.js';
export { renderModel, renderModels } from './render-model.js';
export { renderPredict } from './render-predict.js';
