import type { InferRequest, InferResult } from '../infer.js';
import type { ModelInfo } from '../models/model-info.js';
import type { Answer } from './answer.js';
import { renderHf } from './huggingface/render.js';
import { renderKserve } from './kserve/render.js';
import { renderOip } from './oip/render-infer.js';
import { renderOpenAi } from './openai/render.js';
import { renderInfer, renderLine, renderPredict } from './own/render.js';
import { renderTei } from './tei/render.js';

export interface RenderInput {
  readonly answer: Answer;
  readonly info: ModelInfo;
  /** Its input may be gone, unless it is texts and their offsets were wanted. */
  readonly request: InferRequest;
  readonly result: InferResult;
}

/** The JSON text of an answer. */
export const renderBody = ({ answer, info, request, result }: RenderInput): string => {
  switch (answer.kind) {
    case 'predict':
      return renderPredict(info, answer, request, result);
    case 'infer':
      return renderInfer(info, answer, request, result);
    case 'line':
      return renderLine(info, answer, request, result);
    case 'tei':
      return renderTei(info, answer, result);
    case 'openai':
      return renderOpenAi(info, answer, result);
    case 'hf':
      return renderHf(info, answer, request, result);
    case 'kserve':
      return renderKserve(info, answer, request, result);
    case 'oip':
      return renderOip(info, answer, result);
  }
};
