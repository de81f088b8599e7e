import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HttpClient, Reply } from '../support/http-client.js';
import { FIXTURES, SHIPPED_MODELS, startGateway, tempModelRoot } from '../support/start-gateway.js';
import type { Running, TempFolder } from '../support/start-gateway.js';

const LENGTH = 16;
const LONG = Array.from({ length: 40 }, (_, i) => `word${i}`).join(' ');
const TEXTS = ['hi', 'the table at the window', 'booked for eight', 'x', 'please send the papers back', 'no'];

const textModel = (folder: string, file: string, text: string): Record<string, string | Uint8Array> => ({
  [`${folder}/model.yaml`]: `task: text-classification\nfile: ${file}.onnx\nlabels: ['no', 'yes']\n${text}`,
  [`${folder}/${file}.onnx`]: readFileSync(path.join(FIXTURES, `${file}.onnx`)),
  [`${folder}/tokenizer.json`]: readFileSync(path.join(SHIPPED_MODELS, 'spam/tokenizer.json')),
});

let root: TempFolder;
let running: Running;
let client: HttpClient;
beforeAll(async () => {
  root = await tempModelRoot({
    ...textModel('any', 'tiny_text', 'text: {maxTokens: 16}\n'),
    ...textModel('rows', 'tiny_text_16', ''),
    ...textModel('rectangle', 'tiny_text_2x16', 'text: {maxTokens: 64}\n'),
    ...textModel('short', 'tiny_text_16', 'text: {maxTokens: 8}\n'),
    ...textModel('nothing', 'tiny_text_16', 'text: {maxTokens: 2}\n'),
  });
  running = await startGateway({
    models: { root: root.path, load: ['any', 'rows', 'rectangle', 'short', 'nothing'] },
  });
  ({ client } = running);
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

const predict = (model: string, texts: readonly string[], more: object = {}): Promise<Reply> =>
  client.post('/predict', { model, texts, scores: true, ...more });

describe('a text model that was exported with a fixed sequence length', () => {
  it.each([
    ['rows', { mode: 'dynamic', invariance: { class: 'any' } }, LENGTH],
    ['rectangle', { mode: 'fixed', size: 2, invariance: { class: 'any' } }, LENGTH],
    ['short', { mode: 'dynamic', invariance: { class: 'any' } }, 8],
  ])('%s: is joined as its batch dimension allows, and says its length', async (name, batch, maxTokens) => {
    const { body } = await client.get(`/v1/models/${name}`);
    expect(body).toMatchObject({ batch, text: { maxTokens } });
  });

  it.each(['rows', 'rectangle'])(
    '%s: answers as the same model without, alone and together',
    async (name) => {
      const expected = await predict('any', [...TEXTS, LONG]);
      expect(expected.status).toBe(200);
      const together = await predict(name, [...TEXTS, LONG]);
      expect([together.status, together.body.predictions]).toEqual([200, expected.body.predictions]);
      const alone = await Promise.all([...TEXTS, LONG].map((text) => predict(name, [text])));
      expect(alone.flatMap(({ body }) => body.predictions)).toEqual(expected.body.predictions);
    },
  );

  it('cuts a longer text at its length, or refuses it', async () => {
    const { body } = await predict('rows', [LONG]);
    expect(body.predictions).toMatchObject([{ truncated: true }]);
    const refused = await predict('rows', [LONG], { truncate: false });
    expect([refused.status, refused.body.error?.code]).toEqual([422, 'INPUT_TOO_LONG']);
    expect(refused.body.error?.message).toContain(`expected at most ${LENGTH}`);
  });

  it('pays for its length, whatever the texts are', async () => {
    const before = await client.metric('carpool_padded_tokens_total{model="short"}');
    await predict('short', ['hi']);
    expect((await client.metric('carpool_padded_tokens_total{model="short"}')) - before).toBe(LENGTH);
  });

  it('still takes tensors of that shape', async () => {
    const ids = Array.from({ length: LENGTH }, (_, i) => i + 1);
    const inputs = { input_ids: [ids, ids], attention_mask: [ids.map(() => 1), ids.map(() => 1)] };
    const replies = await Promise.all(['any', 'rows'].map((name) => client.infer(name, inputs)));
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(replies[1]?.body.outputs).toEqual(replies[0]?.body.outputs);
  });

  it('is not loaded where nothing is left for the text', () => {
    expect(running.report.failed).toMatchObject([
      {
        name: 'nothing',
        message: expect.stringMatching(/text\.maxTokens: expected more than the 2 special/),
      },
    ]);
  });
});
