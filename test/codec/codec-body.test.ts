import { afterEach, describe, expect, it } from '@jest/globals';
import type { ParseInput } from '../../src/protocol/parse.js';
import { renderBody } from '../../src/protocol/render.js';
import type { InferResult } from '../../src/infer.js';
import { sliceRows } from '../../src/tensor.js';
import type { Tensor } from '../../src/tensor.js';
import { infoOf, requestOf, resultOf, spec, tensorOf, valuesOf } from '../protocol/support.js';
import { Codecs } from './codecs.js';
import { filled, rejectionOf } from './fixtures.js';

const codecs = new Codecs();
afterEach(() => codecs.closeAll());

describe('Codec.parse', () => {
  const view = {
    name: 'm',
    signature: { inputs: [spec('x', 'int64', ['N', 2])], outputs: [] },
    takesTexts: false,
    maxRows: 100_000,
  };
  const rows = (count: number): string =>
    JSON.stringify({ inputs: Array(count).fill([1, 2]) }).replace('1', '9007199254740993');
  const inferOf = (text: string): ParseInput => ({ route: 'infer', bytes: Buffer.from(text), view });
  const predictOf = (text: string): ParseInput => ({
    route: 'predict',
    bytes: Buffer.from(text),
    maxRows: 100_000,
  });

  it('reads tensors alike in both places', async () => {
    const { codec, thread } = await codecs.open();
    for (const count of [10, 20_000]) {
      const {
        request: { input },
      } = await codec.parse(inferOf(rows(count)));
      if (input.kind !== 'tensors') throw new Error('expected tensors');
      const [tensor] = input.tensors;
      expect(tensor?.dims).toEqual([count, 2]);
      expect(tensor && valuesOf(tensor).slice(0, 3)).toEqual([9007199254740993n, 2n, 1n]);
    }
    expect(thread.jobs).toEqual(['parse']);
  });

  it('reads texts and refuses bad bodies alike in both places', async () => {
    const { codec, thread } = await codecs.open();
    const padding = ' '.repeat(65_536);
    for (const space of ['', padding]) {
      const {
        request: { input },
      } = await codec.parse(predictOf(`{"texts":["a","é😀"]}${space}`));
      expect(input).toEqual({ kind: 'texts', texts: ['a', 'é😀'] });
    }
    const [here, there] = await Promise.all(
      ['', padding].map((space) => rejectionOf(codec.parse(predictOf(`{"texts":["a",7]}${space}`)))),
    );
    expect(here?.code).toBe('INVALID_REQUEST');
    expect(there).toEqual(here);
    expect(thread.jobs).toEqual(['parse', 'parse']);
  });

  it('neither sends nor takes what lies around the body in its buffer', async () => {
    const { codec, thread } = await codecs.open();
    const body = Buffer.from(rows(20_000));
    const shared = Buffer.alloc(body.length + 20, 'x');
    body.copy(shared, 10);
    await codec.parse({ route: 'infer', bytes: shared.subarray(10, 10 + body.length), view });
    expect(thread.bodyBuffers).toEqual([body.length]);
    expect(shared.length).toBe(body.length + 20);
    expect(shared.subarray(10, 20).toString()).toBe('{"inputs":');
  });
});

describe('Codec.render', () => {
  const textClassifier = infoOf(
    { task: 'text-classification' },
    { labels: ['ham', 'spam'], signature: { inputs: [], outputs: [spec('logits', 'float32', ['N', 2])] } },
  );
  const tensors = infoOf({}, { signature: { inputs: [], outputs: [spec('y', 'float32', ['N', 'M'])] } });

  /** Rows of one batch, as lanes hand them out. */
  const batchOf = (rows: number, columns: number): Tensor =>
    tensorOf(
      'float32',
      [rows, columns],
      Array.from({ length: rows * columns }, (_, i) => Math.sin(i)),
    );
  const rowsOf = (batch: Tensor): InferResult =>
    resultOf(
      Array.from({ length: batch.dims[0] ?? 0 }, (_, row) => ({ outputs: [sliceRows(batch, row, row + 1)] })),
    );
  const textOf = (body: string | Uint8Array): string =>
    typeof body === 'string' ? body : Buffer.from(body).toString();

  it.each(['predict', 'infer'] as const)('gives the same text in both places: %s', async (kind) => {
    const { codec, thread } = await codecs.open();
    for (const rows of [3, 5_000]) {
      const batch = batchOf(rows, 2);
      const result = {
        ...rowsOf(batch),
        texts: Array.from({ length: rows }, (_, i) => ({ tokens: i, truncated: i % 3 === 0 })),
      };
      const answer = kind === 'predict' ? { kind, scores: true } : { kind };
      const input = { answer, info: textClassifier, request: requestOf(), result };
      expect(textOf(await codec.render(input))).toBe(renderBody(input));
      // Its neighbours in the batch still need it.
      expect(batch.data).toHaveLength(rows * 2);
    }
    expect(thread.jobs).toEqual(['render']);
  });

  it.each([
    ['elements at the limit', 1, 20_000, 0],
    ['one element more', 1, 20_001, 1],
    ['items at the limit', 2_000, 1, 0],
    ['one item more', 2_001, 1, 1],
  ])('%s', async (_, items, columns, jobs) => {
    const { codec, thread } = await codecs.open();
    const input = {
      answer: { kind: 'infer' },
      info: tensors,
      request: requestOf(),
      result: rowsOf(batchOf(items, columns)),
    } as const;
    expect(textOf(await codec.render(input))).toBe(renderBody(input));
    expect(thread.jobs).toHaveLength(jobs);
  });

  it('counts the characters of strings', async () => {
    const { codec, thread } = await codecs.open();
    const info = infoOf({}, { signature: { inputs: [], outputs: [spec('y', 'string', ['N'])] } });
    const result = resultOf([{ outputs: [tensorOf('string', [1], [filled('text ', 2_000_000)])] }]);
    const input = { answer: { kind: 'infer' }, info, request: requestOf(), result } as const;
    expect(textOf(await codec.render(input))).toBe(renderBody(input));
    expect(thread.jobs).toEqual(['render']);
  });
});
