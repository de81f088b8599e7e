import type { CostReport } from '../../src/models/cost-report.js';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { ItemOutput } from '../../src/infer.js';
import { renderInfer, renderModel, renderModels, renderPredict } from '../../src/protocol/own/render.js';
import type { Tensor } from '../../src/tensor.js';
import { infoOf, refusal, requestOf, resultOf, spec, tensorOf } from './support.js';

const item = (...outputs: Tensor[]): ItemOutput => ({ outputs });

const PLAIN = infoOf(
  { version: '7' },
  {
    signature: {
      inputs: [spec('x', 'float32', ['N', 3])],
      outputs: [spec('y', 'float32', ['N', 'T']), spec('mean', 'int64', [])],
    },
  },
);
const y = (dims: number[], values: number[]): Tensor => tensorOf('float32', dims, values);
const MEAN = tensorOf('int64', [], [9007199254740993n]);
const SPAM = infoOf(
  { task: 'text-classification' },
  {
    name: 'spam',
    takesTexts: true,
    labels: ['ham', 'spam'],
    signature: { inputs: [], outputs: [spec('logits', 'float32', ['b', 2])] },
  },
);
const logits = (rows: number, ...values: number[]): ItemOutput =>
  item(tensorOf('float32', [rows, 2], values));
const FRAUD = infoOf(
  {
    task: 'tabular-classification',
    classifier: { predictions: 'label', probabilities: 'probabilities', flag: 'is_fraud' },
    features: { float_input: ['Time', 'Amount'] },
  },
  {
    name: 'fraud',
    signature: {
      inputs: [spec('float_input', 'float32', ['N', 2])],
      outputs: [spec('label', 'int64', ['N']), spec('probabilities', 'float32', ['N', 2])],
    },
  },
);

const INFER = { kind: 'infer' } as const;

describe('renderInfer', () => {
  it('prints a lone item as it is, with or without a batch axis', () => {
    expect(renderInfer(PLAIN, INFER, requestOf(), resultOf([item(y([1, 2], [0.1, NaN]), MEAN)]))).toBe(
      '{"model_name":"m","model_version":"7","outputs":{"y":[[0.1,null]],"mean":9007199254740993}}',
    );
  });

  it('prints several items row after row, ragged and empty ones too', () => {
    const items = [
      item(y([2, 1], [1, 2]), MEAN),
      item(y([0, 3], []), MEAN),
      item(y([1, 3], [3, 4, 5]), MEAN),
    ];
    expect(renderInfer(PLAIN, INFER, requestOf({ outputs: ['y'] }), resultOf(items))).toBe(
      '{"model_name":"m","model_version":"7","outputs":{"y":[[1],[2],[3,4,5]]}}',
    );
    expect(JSON.parse(renderInfer(PLAIN, INFER, requestOf({ outputs: [] }), resultOf(items)))).toMatchObject({
      outputs: { mean: [Number(MEAN.data[0]), Number(MEAN.data[0]), Number(MEAN.data[0])] },
    });
  });

  it('adds what the card of a tabular classifier declares, from all items in order', () => {
    const result = resultOf([
      item(tensorOf('int64', [2], [0n, 1n]), tensorOf('float32', [2, 2], [0.9, 0.1, 0.25, 0.75])),
      item(tensorOf('int64', [1], [0n]), tensorOf('float32', [1, 2], [0.8, 0.2])),
    ]);
    expect(JSON.parse(renderInfer(FRAUD, INFER, requestOf({ outputs: ['label'] }), result))).toEqual({
      model_name: 'fraud',
      model_version: '1',
      outputs: { label: [0, 1, 0] },
      predictions: [0, 1, 0],
      probabilities: [[0.9, 0.1], [0.25, 0.75], [0.8, 0.2]], // prettier-ignore
      confidence: [0.1, 0.75, 0.2],
      is_fraud: [false, true, false],
    });
  });

  it('prints the confidence in the precision of the probabilities, NaN as null', () => {
    const doubles = tensorOf('float64', [2, 2], [0.9, 0.1 + 2 ** -40, NaN, NaN]);
    const result = resultOf([item(tensorOf('int64', [2], [0n, 0n]), doubles)]);
    expect(JSON.parse(renderInfer(FRAUD, INFER, requestOf(), result))).toMatchObject({
      confidence: [0.1 + 2 ** -40, null],
      probabilities: [[0.9, 0.1 + 2 ** -40], [null, null]], // prettier-ignore
    });
  });

  it('adds the predictions of a text classifier', () => {
    const texts = [{ tokens: 3, truncated: false }, { tokens: 9, truncated: true }]; // prettier-ignore
    const result = resultOf([logits(1, 2, -2), logits(1, -3, 3)], texts);
    expect(renderInfer(SPAM, INFER, requestOf(), result)).toBe(
      '{"model_name":"spam","model_version":"1","outputs":{"logits":[[2,-2],[-3,3]]},"predictions":' +
        '[{"label":"ham","confidence":0.982},{"label":"spam","confidence":0.998,"truncated":true}]}',
    );
  });

  it('blames a result that lacks an output on us', () => {
    expect(refusal(() => renderInfer(PLAIN, INFER, requestOf(), resultOf([item(y([1], [1]))]))).code).toBe(
      'INTERNAL',
    );
  });
});

describe('renderPredict', () => {
  it('answers with the label and its probability, and the scores where they are wanted', () => {
    const result = resultOf([logits(1, 2.2, -2.1)]);
    expect(renderPredict(SPAM, { kind: 'predict', scores: false }, requestOf(), result)).toBe(
      '{"predictions":[{"label":"ham","confidence":0.987}]}',
    );
    expect(renderPredict(SPAM, { kind: 'predict', scores: true }, requestOf(), result)).toBe(
      '{"predictions":[{"label":"ham","confidence":0.987,"scores":{"ham":0.987,"spam":0.013}}]}',
    );
  });

  it('gives the golden labels and scores of the shipped model for its golden logits', () => {
    const file = new URL('../../../models/spam/golden.json', import.meta.url);
    const { cases } = JSON.parse(readFileSync(file, 'utf8')) as {
      cases: { logits: number[]; label: string; score: number }[];
    };
    const result = resultOf(cases.map((golden) => logits(1, ...golden.logits)));
    const { predictions } = JSON.parse(
      renderPredict(SPAM, { kind: 'predict', scores: false }, requestOf(), result),
    ) as {
      predictions: unknown;
    };
    expect(predictions).toEqual(
      cases.map(({ label, score }) => ({ label, confidence: Number(score.toFixed(3)) })),
    );
  });
});

const COST: CostReport = {
  basis: 'rows',
  alpha_ms: 1,
  beta_ms_per_token: 0.1,
  knee_tokens: 0,
  quad_ms_per_token_squared: 0,
  error: 0.05,
  runs: 200,
  r: 10,
  slo_ms: 11,
  advice: 'batching pays up to 8.7×',
};

describe('renderModel', () => {
  it('shows what a client needs to know', () => {
    expect(JSON.parse(renderModel({ info: FRAUD, cost: COST, circuit: 'closed' }))).toEqual({
      name: 'fraud',
      version: '1',
      task: 'tabular-classification',
      takes_texts: false,
      inputs: [{ name: 'float_input', dtype: 'float32', shape: ['N', 2], features: ['Time', 'Amount'] }],
      outputs: [
        { name: 'label', dtype: 'int64', shape: ['N'] },
        { name: 'probabilities', dtype: 'float32', shape: ['N', 2] },
      ],
      loaded_at: '2026-01-02T03:04:05.000Z',
      batch: { mode: 'dynamic' },
      batching: FRAUD.batching,
      cost: COST,
      circuit: 'closed',
      ready: true,
      id: 'fraud',
      object: 'model',
      created: 1767323045,
      owned_by: 'carpool',
    });
  });

  it('shows labels, text limits and the reason for running requests alone', () => {
    const batch = { mode: 'single', reason: "output 'mean' has no batch dimension" } as const;
    const card = { task: 'text-classification', description: 'd', text: { maxTokens: 128 } };
    const info = infoOf(card, { batch, labels: ['a', 'b'] });
    expect(JSON.parse(renderModel({ info, cost: COST, circuit: 'closed' }))).toMatchObject({
      description: 'd',
      labels: ['a', 'b'],
      text: { maxTokens: 128, truncate: true },
      batch,
    });
  });

  it('shows how far rows change each other', () => {
    const info = infoOf(
      {},
      {
        batch: {
          mode: 'dynamic',
          reason: 'it leaks',
          invariance: {
            class: 'equal-lengths',
            enforced: true,
            tolerance: 1e-4,
            runs: 28,
            cutShort: true,
            outputs: [{ name: 'logits', equalLengths: 1e-7, padded: 'unlike' }],
          },
        },
      },
    );
    expect(JSON.parse(renderModel({ info, cost: COST, circuit: 'open' }))).toMatchObject({
      circuit: 'open',
      ready: false,
      batch: {
        mode: 'dynamic',
        reason: 'it leaks',
        invariance: {
          class: 'equal-lengths',
          enforced: true,
          tolerance: 1e-4,
          outputs: [{ name: 'logits', equal_lengths: 1e-7, padded: 'unlike' }],
          runs: 28,
          cut_short: true,
        },
      },
    });
  });

  it('lists models', () => {
    const list = JSON.parse(
      renderModels([SPAM, FRAUD].map((info) => ({ info, cost: COST, circuit: 'closed' as const }))),
    ) as {
      models: { name: string }[];
      data: unknown[];
    };
    expect(list.models.map(({ name }) => name)).toEqual(['spam', 'fraud']);
    expect(list.data[1]).toEqual({ id: 'fraud', object: 'model', created: 1767323045, owned_by: 'carpool' });
    expect(renderModels([])).toBe('{"models":[],"object":"list","data":[]}');
  });
});
