import { oipErrors } from '../errors.js';
import { named, type Example, type Operation } from '../operation.js';
import * as oip from '../schemas/oip.js';

const read = { method: 'get', tag: 'Open Inference Protocol' } as const;
const plain: readonly Example[] = [{ name: 'plain' }];
const params = { model: 'spam', version: '1' };
const spam: readonly Example[] = [{ name: 'spam', params }];
const ofModel = (tail: string): string[] => [
  `/v2/models/{model}${tail}`,
  `/v2/models/{model}/versions/{version}${tail}`,
];
const stats = named('ModelStatistics', oip.statsAnswer);
const BINARY = 'JSON, then raw tensors, little-endian and row-major: docs/protocols.md';

export const oipOperations: readonly Operation[] = [
  {
    ...read,
    paths: ['/v2/health/live'],
    summary: 'Liveness',
    answer: named('ServerLive', oip.liveAnswer),
    answersUnready: true,
    errors: oipErrors('open'),
    examples: plain,
  },
  {
    ...read,
    paths: ['/v2/health/ready'],
    summary: 'Readiness',
    answer: named('ServerReady', oip.readyAnswer),
    answersUnready: true,
    errors: oipErrors('open'),
    examples: plain,
  },
  {
    ...read,
    paths: ['/v2'],
    summary: 'Name, version, extensions',
    answer: named('ServerMetadata', oip.serverAnswer),
    errors: oipErrors('plain'),
    examples: plain,
  },
  {
    ...read,
    paths: ofModel(''),
    summary: "A model's inputs and outputs",
    answer: named('ModelMetadata', oip.metadataAnswer),
    errors: oipErrors('find'),
    examples: spam,
  },
  {
    ...read,
    paths: ofModel('/ready'),
    summary: 'Is a model ready?',
    answer: named('ModelReady', oip.modelReadyAnswer),
    answersUnready: true,
    errors: oipErrors('find'),
    examples: spam,
  },
  {
    ...read,
    paths: ofModel('/config'),
    summary: "A model's configuration in the words of Triton",
    answer: named('ModelConfig', oip.configAnswer),
    errors: oipErrors('find'),
    examples: spam,
  },
  {
    ...read,
    paths: ['/v2/models/stats'],
    summary: 'Statistics of every model',
    answer: stats,
    errors: oipErrors('plain'),
    examples: plain,
  },
  { ...read, paths: ofModel('/stats'), summary: 'Statistics of a model', answer: stats, errors: oipErrors('find'), examples: spam }, // prettier-ignore
  {
    ...read,
    paths: ofModel('/infer'),
    method: 'post',
    summary: 'Tensors through a model',
    body: named('OipInferRequest', oip.oipInferRequest),
    otherBodies: { 'application/octet-stream': BINARY },
    answer: named('OipInferAnswer', oip.oipInferAnswer),
    otherAnswers: { 'application/octet-stream': BINARY },
    errors: oipErrors('run'),
    runs: true,
    requestHeaders: ['Inference-Header-Content-Length'],
    responseHeaders: ['Inference-Header-Content-Length'],
    examples: [
      {
        name: 'texts',
        params,
        body: {
          id: '1',
          parameters: { priority: 1, timeout: 5_000_000 },
          inputs: [
            { name: 'text', datatype: 'BYTES', shape: [1], data: ['You won a free prize, call now!'] },
          ],
          outputs: [{ name: 'logits', parameters: { classification: 1 } }],
        },
      },
    ],
  },
  {
    ...read,
    paths: ['/v2/repository/index'],
    method: 'post',
    summary: 'Every model that is served, comes, goes, failed, or lies in the model root',
    body: named('RepositoryIndexRequest', oip.indexRequest),
    bodyOptional: true,
    answer: named('RepositoryIndex', oip.indexAnswer),
    errors: oipErrors('list'),
    examples: [{ name: 'ready', body: { ready: true } }, { name: 'nothing' }],
  },
  {
    ...read,
    paths: ['/v2/repository/models/{model}/load'],
    method: 'post',
    tag: 'Admin',
    summary: 'Loads a model (again) from where it came last, or from its folder in the model root',
    body: named('RepositoryRequest', oip.repositoryRequest),
    bodyOptional: true,
    answer: named('Empty', oip.emptyAnswer),
    errors: oipErrors('load'),
    examples: [{ name: 'spam', params: { model: 'spam' }, body: { parameters: {} } }],
  },
  {
    ...read,
    paths: ['/v2/repository/models/{model}/unload'],
    method: 'post',
    tag: 'Admin',
    summary: 'Unloads a model after its work in flight',
    body: named('RepositoryRequest', oip.repositoryRequest),
    bodyOptional: true,
    answer: named('Empty', oip.emptyAnswer),
    errors: oipErrors('load'),
    examples: [{ name: 'fraud_detector', params: { model: 'fraud_detector' } }],
  },
];
