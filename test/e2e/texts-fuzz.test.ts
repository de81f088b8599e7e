import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { REFERENCE_MODELS } from '../reference/golden.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { body, near } from '../support/text-bodies.js';

let running: Running;
beforeAll(async () => {
  const load = ['st-mean', 'bert-rerank', 'bert-ner', 'deberta-nli'];
  running = await startGateway({
    models: { root: REFERENCE_MODELS, load, default: 'deberta-nli' },
    server: { maxRequestRows: 4 },
  });
});
afterAll(() => running.close());

const IDS = { input_ids: [[5, 6]], attention_mask: [[1, 1]], token_type_ids: [[0, 0]] };

it.each([
  ['/predict', { inputs: ['a', 'b'] }],
  ['/embed', { inputs: [5, 6] }],
  ['/embed_all', { inputs: ['a'] }],
  ['/rerank', { query: 'a', texts: ['b', 'c'] }],
  ['/similarity', { inputs: { source_sentence: 'a', sentences: ['b'] } }],
  ['/tokenize', { inputs: ['a'] }],
  ['/decode', { ids: [5, 6] }],
  ['/v1/embeddings', { input: ['a'] }],
  ['/', { inputs: ['a'] }],
  ['/models/bert-ner', { inputs: ['a'] }],
  ['/models/bert-rerank', { inputs: { text: 'a', text_pair: 'b' } }],
  ['/v1/models/st-mean:predict', { inputs: IDS }],
  ['/v1/models/bert-ner:predict', { instances: ['a'] }],
])('%s answers or refuses whatever is posted, with JSON', async (path, right) => {
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(fc.oneof(near(right), body), async (value) => {
      const { status, text, headers } = await running.client.post(path, value);
      expect(headers['content-type']).toBe('application/json');
      const answer = JSON.parse(text) as { error?: unknown };
      // 424 is what TEI calls a failed run, and a model that is not there.
      expect(status === 200 ? '' : answer.error).toBeDefined();
      expect([status < 500, status === 424 && !text.includes('no model') ? text : '']).toEqual([true, '']);
      statuses.add(status);
    }),
    { numRuns: 150 },
  );
  expect(statuses).toContain(200);
});
