import { ownErrors } from '../errors.js';
import { named, type Operation } from '../operation.js';
import { debugAnswer, logLevelAnswer, logLevelRequest } from '../schemas/own.js';
import { healthAnswer } from '../schemas/server.js';

const base = {
  method: 'get',
  tag: 'Server',
  errors: ownErrors('plain'),
  examples: [{ name: 'plain' }],
} as const;
const health = named('Health', healthAnswer);

export const serverOperations: readonly Operation[] = [
  {
    ...base,
    paths: ['/health'],
    summary: 'For people: always 200, and what readiness says',
    answer: health,
    errors: ownErrors('open'),
  },
  {
    ...base,
    paths: ['/healthz'],
    summary: 'Liveness',
    answer: health,
    answersUnready: true,
    errors: ownErrors('open'),
  },
  {
    ...base,
    paths: ['/readyz'],
    summary: 'Readiness',
    answer: health,
    answersUnready: true,
    errors: ownErrors('open'),
  },
  {
    ...base,
    paths: ['/metrics'],
    summary: "Metrics in Prometheus' text format",
    otherAnswers: {
      'text/plain': 'docs/metrics.md has the series',
      'application/openmetrics-text':
        'OpenMetrics, for who accepts it, with the traces of requests as exemplars',
    },
  },
  {
    ...base,
    paths: ['/debug/batcher'],
    tag: 'Admin',
    summary: 'Lanes, and of every model its queue, what runs cost, and the last hundred batches',
    answer: named('Debug', debugAnswer),
  },
  {
    ...base,
    paths: ['/debug/log-level'],
    tag: 'Admin',
    summary: 'What is logged',
    answer: named('LogLevel', logLevelAnswer),
    errors: ownErrors('plain'),
  },
  {
    ...base,
    method: 'put',
    paths: ['/debug/log-level'],
    tag: 'Admin',
    summary: 'Changes what is logged, for a while or until the next change',
    body: named('SetLogLevel', logLevelRequest),
    answer: named('LogLevel', logLevelAnswer),
    errors: ownErrors('set'),
    examples: [
      { name: 'the worst only, for ten minutes', body: { level: 'fatal', forMs: 600_000 } },
      { name: 'errors, until the next change', body: { level: 'error' } },
    ],
  },
  {
    ...base,
    paths: ['/openapi.json'],
    summary: 'This document',
    otherAnswers: { 'application/json': 'OpenAPI 3.1' },
    responseHeaders: ['ETag'],
  },
  {
    ...base,
    paths: ['/docs'],
    summary: 'This document in Swagger UI',
    otherAnswers: { 'text/html': 'A page' },
  },
  {
    ...base,
    paths: ['/docs/{file}'],
    summary: "The page's files",
    otherAnswers: {
      'text/javascript': 'A script',
      'text/css': 'A style sheet',
      'image/png': 'An icon',
    },
    errors: ownErrors('file'),
    responseHeaders: ['ETag'],
    examples: [{ name: 'script', params: { file: 'init.js' } }],
  },
];
