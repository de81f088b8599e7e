import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import * as ort from 'onnxruntime-node';
import { seededRandom } from './stats.mjs';

/**
 * Texts of given lengths and the answer that each gets alone. Lengths are tokens, special ones included; a mix is a
 * quantile function, given by points `[share, tokens]` between which the logarithm of the length is linear.
 *
 * mixed: the lengths of public mail and SMS (the texts that the spam model was made from), with their tail stretched.
 */
export const MIXES = {
  short: [
    [0, 8],
    [1, 16],
  ],
  mixed: [
    [0, 6],
    [0.1, 11],
    [0.25, 17],
    [0.5, 37],
    [0.75, 105],
    [0.78, 128],
    [0.95, 300],
    [1, 512],
  ],
  long: [
    [0, 128],
    [1, 256],
  ],
};

/** Folders under bench/models, and the name of what their cards answer. */
export const MODELS = {
  spam: { folder: 'spam512', labels: ['ham', 'spam'], count: 2_000 },
  encoder6: { folder: 'encoder6', labels: ['left', 'right'], count: 300 },
};

const SPECIAL_TOKENS = 2;
/** Runs of one text of which the fastest counts: what the text costs, not what else the machine did. */
const LONE_RUNS = 5;

const lengthAt = (points, share) => {
  const next = Math.max(
    1,
    points.findIndex(([at]) => at >= share),
  );
  const [[x0, y0], [x1, y1]] = [points[next - 1], points[next]];
  return Math.round(y0 * (y1 / y0) ** ((share - x0) / (x1 - x0)));
};

const url = (path) => new URL(`../../${path}`, import.meta.url);

export const tokenizerOfSpam = () =>
  new Tokenizer(JSON.parse(readFileSync(url('models/spam/tokenizer.json'), 'utf8')), {});

/** Words of the spam model's golden texts that are one token each: any number of them has a known length. */
const singleTokenWords = (tokenizer) => {
  const { cases } = JSON.parse(readFileSync(url('models/spam/golden.json'), 'utf8'));
  const words = new Set(cases.flatMap(({ text }) => text.toLowerCase().match(/\b[a-z]{2,}\b/g) ?? []));
  return [...words].filter((word) => tokenizer.encode(word).ids.length === 1 + SPECIAL_TOKENS);
};

/** @returns `count` texts whose lengths follow the mix exactly, in random order */
export const textsOf = (mix, count, seed = 1) => {
  const random = seededRandom(seed);
  const tokenizer = tokenizerOfSpam();
  const words = singleTokenWords(tokenizer);
  return Array.from({ length: count }, (_, i) => {
    const tokens = lengthAt(MIXES[mix], (i + 0.5) / count);
    const text = Array.from(
      { length: tokens - SPECIAL_TOKENS },
      () => words[Math.floor(random() * words.length)],
    ).join(' ');
    const { ids } = tokenizer.encode(text);
    if (ids.length !== tokens)
      throw new Error(`a text of the ${mix} mix has ${ids.length} tokens, not ${tokens}`);
    return { text, ids, tokens, order: random() };
  }).sort((a, b) => a.order - b.order);
};

/** ONNX Runtime itself, one thread, as a lane has it. */
export const openAlone = async (model) => {
  const { folder, labels } = MODELS[model];
  const session = await ort.InferenceSession.create(url(`bench/models/${folder}/model.onnx`).pathname, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const tensor = (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  const run = async (ids) => {
    const all = {
      input_ids: tensor(ids),
      attention_mask: tensor(ids.map(() => 1)),
      token_type_ids: tensor(ids.map(() => 0)),
    };
    const feeds = Object.fromEntries(session.inputNames.map((name) => [name, all[name]]));
    const startedAt = performance.now();
    const { logits } = await session.run(feeds);
    return { ms: performance.now() - startedAt, logits: logits.data };
  };
  return {
    /** Milliseconds of a lone run. */
    ms: async (ids) => {
      const times = [];
      for (let i = 0; i < LONE_RUNS; i++) times.push((await run(ids)).ms);
      return Math.min(...times);
    },
    answer: async (ids) => {
      const [left, right] = (await run(ids)).logits;
      return {
        label: labels[Number(right > left)],
        confidence: 1 / (1 + Math.exp(-Math.abs(right - left))),
      };
    },
    close: () => session.release(),
  };
};

/**
 * Everything a load needs of one model and mix.
 *
 * @returns `pool`: `{body, tokens, label, confidence}` a text; `p95Ms`: a lone run of a text at the 95th percentile of
 *   the lengths
 */
export const poolOf = async (model, mix, count = MODELS[model].count) => {
  const alone = await openAlone(model);
  const texts = textsOf(mix, count);
  const pool = [];
  for (const { text, ids, tokens } of texts)
    pool.push({ body: JSON.stringify({ texts: [text] }), tokens, ...(await alone.answer(ids)) });
  const byLength = texts.toSorted((a, b) => a.tokens - b.tokens);
  const p95Ms = await alone.ms(byLength[Math.floor(0.95 * byLength.length)].ids);
  await alone.close();
  const answers = new Set(pool.map(({ label, confidence }) => `${label} ${confidence.toFixed(3)}`));
  if (answers.size < pool.length / 20)
    throw new Error(
      `${model} has ${answers.size} answers to ${pool.length} texts: a wrong one would not be seen; run bench/make-models.py`,
    );
  return { pool, p95Ms };
};
