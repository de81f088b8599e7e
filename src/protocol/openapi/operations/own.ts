import { versionsSchema } from '../../../config/versions.js';
import { ownErrors, teiErrors } from '../errors.js';
import { named, type Operation } from '../operation.js';
import * as own from '../schemas/own.js';
import { teiPredictAnswer } from '../schemas/tei.js';
import { line } from '../schemas/texts.js';
import { TEI_HEADERS } from './tei.js';

const TEXT = 'You won a free prize, call now!';
const ROW = [
  ...[0.5, 125.5, -0.8, 1.2, -0.3, 0.5, 1.1, -0.2, 0.9, -1.2, 0.3, -0.7, 1.5, -0.4, 0.6],
  ...[-1.1, 0.8, 0.2, -0.9, 1.3, -0.5, 0.4, -1.0, 0.7, -0.3, 0.9, -0.6, 1.2, -0.8, 0.5],
];
/** A PNG of 7 × 5 pixels. */
const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAcAAAAFCAIAAAAG+GGPAAAAeUlEQVR4nAFuAJH/AQIL3x31EjIG8in7PDv/7SUAAiMIzwT+PxAU8u/+D/wH/fFKngnvBvwAVP4EADbu/QYM/P8CfXD3//sFEQrw/0oXAgY5BPs3+AdABorREQED7fr9Bfox/gT6Ov0JCwT7/fr5AQWjAwkq+xMtQOpUpzCYLltEPQAAAABJRU5ErkJggg==';

const fraud = { model: 'fraud_detector', version: '1' };
const policy = named('PolicyAnswer', own.policyAnswer);
const lines = { 'application/x-ndjson': named('Line', line) };

export const ownOperations: readonly Operation[] = [
  {
    paths: ['/predict'],
    method: 'post',
    tag: 'Carpool',
    summary: "Texts through a model's task",
    description:
      'A body with `inputs` is text-embeddings-inference’s: its answer, headers and errors are of that protocol. `Accept: application/x-ndjson` streams a line a text, as soon as it is done; after the first line an error is the last one.',
    body: named('PredictRequest', own.predictRequest),
    answer: named('PredictAnswer', own.predictAnswer.or(teiPredictAnswer)),
    otherAnswers: lines,
    errors: ownErrors('run'),
    otherErrors: teiErrors('run'),
    runs: true,
    responseHeaders: TEI_HEADERS,
    examples: [
      { name: 'texts', body: { model: 'spam', texts: [TEXT, 'See you at noon.'], scores: true } },
      {
        name: 'tokens',
        body: { model: 'spam', texts: ['free prize'], return_tokens: true, timeoutMs: 5000 },
      },
      { name: 'windows', body: { model: 'spam', texts: [TEXT], window: { stride: 8, combine: 'mean' } } },
      {
        name: 'zero-shot',
        body: { model: 'zero_shot', texts: [TEXT], candidate_labels: ['sport', 'money'], multi_label: true },
      },
      { name: 'entities', body: { model: 'entities', texts: ['Ada lives in London'], aggregation: 'first' } },
      {
        name: 'embeddings',
        body: { model: 'embedder', texts: ['One', 'Two'], normalize: true, dimensions: 4 },
      },
      { name: 'reranking', body: { model: 'reranker', query: 'Who?', texts: ['Ada', 'Nobody'] } },
      {
        name: 'text-embeddings-inference',
        body: { model: 'spam', inputs: [[TEXT], ['See you', 'at noon']] },
      },
    ],
  },
  {
    paths: ['/v1/models/{model}/infer', '/v1/models/{model}/versions/{version}/infer'],
    method: 'post',
    tag: 'Carpool',
    summary: 'Tensors, texts or images through a model',
    body: named('InferRequest', own.inferRequest),
    otherBodies: { 'image/*': 'A JPEG, PNG or WebP; its options stand in the query' },
    answer: named('InferAnswer', own.inferAnswer),
    otherAnswers: lines,
    errors: ownErrors('run'),
    runs: true,
    query: ['top_k', 'scores', 'timeoutMs', 'priority'],
    examples: [
      { name: 'rows', params: fraud, body: { inputs: [ROW] } },
      {
        name: 'named',
        params: fraud,
        body: { inputs: { float_input: [ROW] }, outputs: ['probabilities'], priority: 1 },
      },
      { name: 'texts', params: { model: 'spam', version: '1' }, body: { texts: [TEXT], top_k: 1 } },
      { name: 'images', params: { model: 'images', version: '1' }, body: { images: [PICTURE], top_k: 2 } },
    ],
  },
  {
    paths: ['/v1/models'],
    method: 'get',
    tag: 'Carpool',
    summary: 'The models that are served',
    answer: named('Models', own.modelsAnswer),
    errors: ownErrors('plain'),
    examples: [{ name: 'plain' }],
  },
  {
    paths: ['/v1/models/{model}'],
    method: 'get',
    tag: 'Carpool',
    summary: 'A model: inputs, outputs, settings, what its runs cost',
    answer: named('Model', own.modelAnswer),
    errors: ownErrors('find'),
    examples: [{ name: 'spam', params: { model: 'spam' } }],
  },
  {
    paths: ['/v1/models'],
    method: 'post',
    tag: 'Admin',
    summary: 'Loads a model, or the next version of one',
    body: named('LoadRequest', own.loadRequest),
    answer: named('LoadAnswer', own.loadAnswer),
    errors: ownErrors('load'),
    examples: [{ name: 'load', body: { name: 'second', path: 'fraud_detector' } }],
  },
  {
    paths: ['/v1/models/{model}'],
    method: 'delete',
    tag: 'Admin',
    summary: 'Unloads a model after its work in flight',
    answer: named('UnloadAnswer', own.unloadAnswer),
    errors: ownErrors('unload'),
    examples: [{ name: 'second', params: { model: 'second' } }],
  },
  {
    paths: ['/v1/models/{model}/policy'],
    method: 'get',
    tag: 'Carpool',
    summary: 'Which versions of a model are loaded, and whose requests each gets',
    answer: policy,
    errors: ownErrors('find'),
    examples: [{ name: 'spam', params: { model: 'spam' } }],
  },
  {
    paths: ['/v1/models/{model}/policy'],
    method: 'put',
    tag: 'Admin',
    summary: 'Changes that, until the next start; keys left out have their defaults',
    description: 'Of a model whose folder has versions.',
    body: named('VersionPolicy', versionsSchema),
    answer: policy,
    errors: ownErrors('load'),
    examples: [],
  },
  {
    paths: ['/v1/models/{model}/rollback'],
    method: 'post',
    tag: 'Admin',
    summary: 'Back to what served before the last change, at once; again, and it is undone',
    answer: policy,
    errors: ownErrors('unload'),
    examples: [],
  },
];
