import { openAiErrors } from '../errors.js';
import { named, type Operation } from '../operation.js';
import { embeddingsAnswer, embeddingsRequest } from '../schemas/openai.js';

export const openAiOperations: readonly Operation[] = [
  {
    paths: ['/v1/embeddings', '/embeddings'],
    method: 'post',
    tag: 'OpenAI',
    summary: 'A vector for each text',
    body: named('EmbeddingsRequest', embeddingsRequest),
    answer: named('EmbeddingsAnswer', embeddingsAnswer),
    errors: openAiErrors('run'),
    runs: true,
    examples: [
      { name: 'text', body: { input: 'One', model: 'embedder' } },
      { name: 'base64', body: { input: ['One', 'Two'], encoding_format: 'base64', dimensions: 4 } },
      { name: 'ids', body: { input: [2, 3] } },
    ],
  },
];
