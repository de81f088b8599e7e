import type { InferRequest, InferResult } from '../infer.js';
import type { ModelInfo } from '../models/model-info.js';
import { renderInfer, renderPredict } from '../protocol/own/render.js';

export interface RenderInput {
  readonly kind: 'infer' | 'predict';
  readonly info: ModelInfo;
  readonly request: InferRequest;
  readonly result: InferResult;
}

/** The JSON text of an answer. */
export const renderBody = ({ kind, info, request, result }: RenderInput): string =>
  (kind === 'infer' ? renderInfer : renderPredict)(info, request, result);
