import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { InferenceClient } from '@huggingface/inference';
import { embeddingGoldenOf, goldenOf, isNear, REFERENCE_MODELS } from '../reference/golden.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { SPAM_CASES } from '../e2e/golden.js';

/** The client that Hugging Face publishes, with an endpoint in place of a hub. */
let spam: Running;
let all: Running;
beforeAll(async () => {
  spam = await startGateway({ models: { default: 'spam' } });
  const load = ['st-mean', 'bert-ner', 'deberta-nli'];
  all = await startGateway({ models: { root: REFERENCE_MODELS, load } });
});
afterAll(() => Promise.all([spam.close(), all.close()]));

const at = (endpointUrl: string): InferenceClient => new InferenceClient(undefined, { endpointUrl });
const once = { retry_on_error: false };

it('textClassification', async () => {
  for (const { text, label, score } of SPAM_CASES.slice(0, 5)) {
    const [best, other] = await at(spam.url).textClassification({ inputs: text }, once);
    expect([best?.label, isNear(best?.score, score, 1e-4), isNear(other?.score, 1 - score, 1e-4)]).toEqual([label, true, true]); // prettier-ignore
  }
});

it('tokenClassification', async () => {
  const { text, entities } = goldenOf('bert-ner').cases[0]!;
  const got = await at(`${all.url}/models/bert-ner`).tokenClassification({ inputs: text }, once);
  expect(got).toEqual(entities!['simple']!.map((entity) => ({ ...entity, score: expect.any(Number) })));
});

it('zeroShotClassification', async () => {
  const { text, labels, scores } = goldenOf('deberta-nli').zero_shot![0]!;
  const parameters = { candidate_labels: [...labels] };
  const got = await at(all.url).zeroShotClassification({ inputs: text, parameters }, once);
  expect(got.map(({ label }) => label)).toEqual(Object.keys(scores));
  expect(got.filter(({ label, score }) => !isNear(score, scores[label]!, 1e-4))).toEqual([]);
});

it('featureExtraction', async () => {
  const golden = embeddingGoldenOf('st-mean');
  const inputs = golden.cases.map(({ text }) => text);
  const endpoint = at(`${all.url}/models/st-mean`);
  const isOff = (got: unknown, expected: readonly number[]): boolean =>
    !Array.isArray(got) || expected.some((value, i) => !isNear(Number(got[i]), value, 1e-4));
  const vectors = await endpoint.featureExtraction({ inputs }, once);
  expect(inputs.filter((_, i) => isOff(vectors[i], golden.embeddings[i]!))).toEqual([]);
  expect(isOff(await endpoint.featureExtraction({ inputs: inputs[0]! }, once), golden.embeddings[0]!)).toBe(
    false,
  );
});

it('sentenceSimilarity', async () => {
  const inputs = { source_sentence: 'a b', sentences: ['a b', 'c'] };
  const cosines = await at(all.url).sentenceSimilarity({ inputs }, once);
  expect([cosines.length, isNear(cosines[0], 1, 1e-5), cosines[1]! < 0.999]).toEqual([2, true, true]);
});

it('errors have our words', async () => {
  const wrong = at(`${all.url}/models/none`).textClassification({ inputs: 'a' }, once);
  await expect(wrong).rejects.toThrow("no model 'none'");
  await expect(at(all.url).textClassification({ inputs: 'a' }, once)).rejects.toThrow('name it in the path');
});
