import type { z } from 'zod';
import { teiErrors } from '../errors.js';
import { named, type Example, type HeaderName, type Operation } from '../operation.js';
import * as tei from '../schemas/tei.js';

export const TEI_HEADERS: readonly HeaderName[] = [
  ...(['x-compute-type', 'x-compute-time', 'x-compute-characters', 'x-compute-tokens'] as const),
  ...(['x-total-time', 'x-tokenization-time', 'x-queue-time', 'x-inference-time'] as const),
];

interface Call {
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly request: z.ZodType;
  readonly answer: z.ZodType;
  /** Does it run a model? */
  readonly runs?: false;
  readonly examples: readonly Example[];
}

const CALLS: readonly Call[] = [
  {
    path: '/embed',
    name: 'Embed',
    summary: 'A vector for each text',
    request: tei.embedRequest,
    answer: tei.embedAnswer,
    examples: [
      { name: 'text', body: { inputs: 'One' } },
      { name: 'texts', body: { inputs: ['One', 'Two'], normalize: false, dimensions: 4, truncate: true } },
      { name: 'ids', body: { inputs: [[2, 3], [4]] } },
    ],
  },
  {
    path: '/embed_all',
    name: 'EmbedAll',
    summary: 'A vector for each token of each text',
    request: tei.embedAllRequest,
    answer: tei.embedAllAnswer,
    examples: [{ name: 'texts', body: { inputs: ['One', 'Two'] } }],
  },
  {
    path: '/rerank',
    name: 'Rerank',
    summary: 'Texts by how well they answer a query',
    request: tei.rerankRequest,
    answer: tei.ranks,
    examples: [
      {
        name: 'texts',
        body: { query: 'Who?', texts: ['Ada', 'Nobody'], return_text: true, raw_scores: false },
      },
    ],
  },
  {
    path: '/similarity',
    name: 'Similarity',
    summary: 'How near sentences are to one',
    request: tei.similarityRequest,
    answer: tei.similarities,
    examples: [
      {
        name: 'sentences',
        body: {
          inputs: { source_sentence: 'One', sentences: ['Two', 'Three'] },
          parameters: { truncate: true },
        },
      },
    ],
  },
  {
    path: '/tokenize',
    name: 'Tokenize',
    summary: 'The tokens of texts',
    request: tei.tokenizeRequest,
    answer: tei.tokenizeAnswer,
    runs: false,
    examples: [
      { name: 'text', body: { inputs: 'See you at noon', add_special_tokens: false, model: 'spam' } },
    ],
  },
  {
    path: '/decode',
    name: 'Decode',
    summary: 'The texts of token ids',
    request: tei.decodeRequest,
    answer: tei.decodeAnswer,
    runs: false,
    examples: [{ name: 'ids', body: { ids: [2, 3], skip_special_tokens: true, model: 'spam' } }],
  },
];

const shared = { tag: 'text-embeddings-inference' } as const;

export const teiOperations: readonly Operation[] = [
  ...CALLS.map(({ path, name, summary, request, answer, runs = true, examples }): Operation => ({
    ...shared,
    paths: [path],
    method: 'post',
    summary,
    body: named(`${name}Request`, request),
    answer: named(`${name}Answer`, answer),
    errors: teiErrors(runs ? 'run' : 'read'),
    runs,
    ...(runs ? { responseHeaders: TEI_HEADERS } : {}),
    examples,
  })),
  {
    ...shared,
    paths: ['/info'],
    method: 'get',
    summary: 'A model, as that server tells of its own',
    answer: named('Info', tei.infoAnswer),
    errors: teiErrors('find'),
    query: ['model'],
    examples: [{ name: 'plain' }],
  },
];
