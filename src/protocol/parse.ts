import type { InferRequest } from '../infer.js';
import type { Answer } from './answer.js';
import { parseHf } from './huggingface/parse.js';
import { parseJson } from './json/parse-json.js';
import { parseKserve } from './kserve/parse.js';
import { parseOip } from './oip/parse-infer.js';
import { parseOpenAi } from './openai/parse.js';
import { parseInfer, parsePredict, type ParseView } from './own/parse.js';
import type { TeiCall } from './tei/answer.js';
import { isTeiPredict } from './tei/parse-predict.js';
import { parseTei } from './tei/parse.js';

/** A body and what its parser has to know. Plain data, which crosses to the codec thread. */
export type ParseInput = { readonly bytes: Uint8Array } & (
  | { readonly route: 'predict' | 'openai' | 'hf'; readonly maxRows: number }
  | { readonly route: 'tei'; readonly call: TeiCall; readonly maxRows: number }
  | { readonly route: 'infer' | 'kserve'; readonly view: ParseView }
  | { readonly route: 'oip'; readonly view: ParseView; readonly jsonBytes?: number }
);

/** What to run, and how to answer. */
export interface Parsed {
  readonly request: InferRequest;
  readonly answer: Answer;
}

/** @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE */
export const parseBody = (input: ParseInput): Parsed => {
  switch (input.route) {
    case 'predict': {
      // Two protocols share the path.
      const body = parseJson(input.bytes);
      return isTeiPredict(body)
        ? parseTei('predict', body, input.maxRows)
        : parsePredict(body, input.maxRows);
    }
    case 'tei':
      return parseTei(input.call, parseJson(input.bytes), input.maxRows);
    case 'openai':
      return parseOpenAi(parseJson(input.bytes), input.maxRows);
    case 'hf':
      return parseHf(parseJson(input.bytes), input.maxRows);
    case 'kserve':
      return parseKserve(parseJson(input.bytes), input.view);
    case 'infer':
      return parseInfer(parseJson(input.bytes), input.view);
    case 'oip':
      return parseOip(input);
  }
};
