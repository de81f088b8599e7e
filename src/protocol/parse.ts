import type { InferRequest } from '../infer.js';
import type { Answer } from './answer.js';
import { parseJson } from './json/parse-json.js';
import { parseOip } from './oip/parse-infer.js';
import { parseInfer, parsePredict, type ParseView } from './own/parse.js';

/** A body and what its parser has to know. Plain data, which crosses to the codec thread. */
export type ParseInput = { readonly bytes: Uint8Array } & (
  | { readonly route: 'predict'; readonly maxRows: number }
  | { readonly route: 'infer'; readonly view: ParseView }
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
    case 'predict':
      return parsePredict(parseJson(input.bytes), input.maxRows);
    case 'infer':
      return parseInfer(parseJson(input.bytes), input.view);
    case 'oip':
      return parseOip(input);
  }
};
