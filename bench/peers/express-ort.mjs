/**
 * The plain way: Express, ONNX Runtime on the main thread, every request run by itself. The same two routes, bodies and
 * answers as Carpool's, for spam and fraud_detector. A peer to measure against, written as a careful developer would.
 *
 *   PORT=8081 node bench/peers/express-ort.mjs
 *
 * INTRA_OP_THREADS: of each session; default 1, which is faster for inputs this small than ONNX Runtime's own choice (0).
 */
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import express from 'express';
import * as ort from 'onnxruntime-node';

const MAX_TOKENS = 128;
const LABELS = ['ham', 'spam'];

const url = (path) => new URL(`../../models/${path}`, import.meta.url);
const open = (model) =>
  ort.InferenceSession.create(url(`${model}/model.onnx`).pathname, {
    intraOpNumThreads: Number(process.env.INTRA_OP_THREADS ?? 1),
    graphOptimizationLevel: 'all',
  });
const tokenizer = new Tokenizer(JSON.parse(readFileSync(url('spam/tokenizer.json'), 'utf8')), {});
const [spam, fraud] = await Promise.all([open('spam'), open('fraud_detector')]);

const encode = (text) => {
  const { ids } = tokenizer.encode(text);
  return ids.length > MAX_TOKENS ? [...ids.slice(0, MAX_TOKENS - 1), ids.at(-1)] : ids;
};

/** The texts of one request as one batch, padded to the longest. */
const feedsOf = (texts) => {
  const rows = texts.map(encode);
  const longest = Math.max(...rows.map((ids) => ids.length));
  const ids = new BigInt64Array(rows.length * longest);
  const mask = new BigInt64Array(rows.length * longest);
  rows.forEach((row, r) => {
    row.forEach((id, i) => (ids[r * longest + i] = BigInt(id)));
    mask.fill(1n, r * longest, r * longest + row.length);
  });
  const tensor = (data) => new ort.Tensor('int64', data, [rows.length, longest]);
  return {
    input_ids: tensor(ids),
    attention_mask: tensor(mask),
    token_type_ids: tensor(new BigInt64Array(ids.length)),
  };
};

const predictionOf = (ham, junk) => {
  const confidence = 1 / (1 + Math.exp(-Math.abs(junk - ham)));
  return { label: LABELS[Number(junk > ham)], confidence: Math.round(confidence * 1000) / 1000 };
};

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.json({ limit: '16mb' }));

app.post('/predict', async (req, res) => {
  const { texts } = req.body;
  const { logits } = await spam.run(feedsOf(texts));
  res.json({ predictions: texts.map((_, i) => predictionOf(logits.data[2 * i], logits.data[2 * i + 1])) });
});

app.post('/v1/models/fraud_detector/infer', async (req, res) => {
  const { inputs } = req.body;
  const tensor = new ort.Tensor('float32', Float32Array.from(inputs.flat()), [inputs.length, 30]);
  const { label, probabilities } = await fraud.run({ float_input: tensor });
  const pairs = inputs.map((_, i) => [...probabilities.data.subarray(2 * i, 2 * i + 2)]);
  const predictions = Array.from(label.data, Number);
  res.json({
    model_name: 'fraud_detector',
    outputs: { label: predictions, probabilities: pairs },
    predictions,
    probabilities: pairs,
    confidence: pairs.map(([, positive]) => positive),
    is_fraud: predictions.map((prediction) => prediction === 1),
  });
});

// Sessions allocate on their first run.
await spam.run(feedsOf(['warm', 'and ready']));
app.listen(Number(process.env.PORT ?? 8081), '127.0.0.1');
