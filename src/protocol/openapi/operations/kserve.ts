import { messageErrors } from '../errors.js';
import { named, type Operation } from '../operation.js';
import { kservePredictAnswer, kservePredictRequest, kserveStatusAnswer } from '../schemas/kserve.js';

const shared = { tag: 'KServe' } as const;
const params = { model: 'spam', version: '1' };

export const kserveOperations: readonly Operation[] = [
  {
    ...shared,
    paths: ['/v1/models/{model}:predict', '/v1/models/{model}/versions/{version}:predict'],
    method: 'post',
    summary: 'Rows through a model',
    body: named('KservePredictRequest', kservePredictRequest),
    answer: named('KservePredictAnswer', kservePredictAnswer),
    errors: messageErrors('run'),
    runs: true,
    examples: [
      { name: 'texts', params, body: { instances: ['You won a free prize, call now!'] } },
      { name: 'columns', params, body: { inputs: ['See you at noon'], signature_name: 'any' } },
    ],
  },
  {
    ...shared,
    paths: ['/v1/models/{model}/versions/{version}'],
    method: 'get',
    summary: 'The state of a version',
    answer: named('KserveStatus', kserveStatusAnswer),
    errors: messageErrors('find'),
    examples: [{ name: 'spam', params }],
  },
];
