import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import * as ort from 'onnxruntime-node';
import { PROJECT } from './machine.mjs';
import { seededRandom } from './stats.mjs';

/**
 * Inputs and their right answers. A question is `{path, body, want, texts?}`: `want` is what must be in the answer,
 * `texts` what the body is made of, so that every request can be made unique.
 */
const WORDS =
  `the a your my our this that free win prize claim call now today tomorrow meeting lunch report please
send money account bank click here link offer limited time cash reward urgent reply stop mobile number customer
service order ship friend see you at home later ok thanks great news week friday monday office project team review
update password verify secure card credit loan cheap best price buy sell new phone text message win ticket holiday`
    .split(/\s+/)
    .filter(Boolean);

const MAX_TOKENS = 128;

/** @returns `count` texts of words, of lengths between the two, spread by ratio */
export const sentences = (count, fewest, most, seed) => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    // As many short ones as long ones by ratio, not by difference.
    const words = Math.round(fewest * (most / fewest) ** random());
    return Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
  });
};

const modelFile = (model, file) => join(PROJECT, 'models', model, file);

/** Each text alone, by ONNX Runtime itself: what the gateway must answer in any batch. */
const askSpam = async (texts) => {
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(modelFile('spam', 'tokenizer.json'), 'utf8')), {});
  const session = await ort.InferenceSession.create(modelFile('spam', 'model.onnx'), {
    intraOpNumThreads: 1,
  });
  const predictions = [];
  for (const text of texts) {
    const { ids: all } = tokenizer.encode(text);
    const ids = all.length > MAX_TOKENS ? [...all.slice(0, MAX_TOKENS - 1), all.at(-1)] : all;
    const feed = (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length]);
    const { logits } = await session.run({
      input_ids: feed(ids),
      attention_mask: feed(ids.map(() => 1)),
      token_type_ids: feed(ids.map(() => 0)),
    });
    const [ham, spam] = logits.data;
    const confidence = 1 / (1 + Math.exp(-Math.abs(spam - ham)));
    predictions.push({ label: spam > ham ? 'spam' : 'ham', confidence });
  }
  await session.release();
  return predictions;
};

/** @returns one question a text */
export const spamQuestions = async ({ count, fewestWords, mostWords, seed = 1 }) => {
  const texts = sentences(count, fewestWords, mostWords, seed);
  const predictions = await askSpam(texts);
  return texts.map((text, i) => ({
    path: '/predict',
    texts: [text],
    want: { predictions: [predictions[i]] },
  }));
};

/** @returns one question a row: golden rows, each alone */
export const fraudQuestions = () => {
  const { cases } = JSON.parse(readFileSync(modelFile('fraud_detector', 'golden.json'), 'utf8'));
  return cases.map(({ input, label, probabilities }) => ({
    path: '/v1/models/fraud_detector/infer',
    body: JSON.stringify({ inputs: [input] }),
    want: { predictions: [label], probabilities: [probabilities] },
  }));
};
