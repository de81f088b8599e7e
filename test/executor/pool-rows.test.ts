import { describe, expect, it } from '@jest/globals';
import { itemsOfTexts } from '../../src/codec/items.js';
import { embeddingsOf } from '../../src/codec/tasks/index.js';
import { joinPayloads } from '../../src/executor/join.js';
import { poolRows } from '../../src/executor/pool-rows.js';
import { sliceRows } from '../../src/tensor.js';
import { infoOf, resultOf, spec, tensorOf, valuesOf } from '../protocol/support.js';

const lengths = Int32Array.of(3, 1, 2);
const POOLINGS = ['mean', 'cls', 'max', 'lasttoken', 'mean_sqrt_len_tokens'] as const;
const values = Array.from({ length: 3 * 3 * 2 }, (_, i) => Math.sin(i * 7) * 10);
const hidden = tensorOf('float32', [3, 3, 2], values);
const other = tensorOf('int64', [3, 4], new Array<bigint>(12).fill(7n));

describe('pooling in the lane', () => {
  it.each(POOLINGS)('%s gives what pooling afterwards gives', (pooling) => {
    const signature = { inputs: [], outputs: [spec('x', 'int64', ['b', 4]), spec('last_hidden_state', 'float32', ['b', 't', 2])] }; // prettier-ignore
    const info = infoOf({ task: 'embedding', embedding: { pooling } }, { signature });
    const facts = Array.from(lengths, (tokens) => ({ tokens, truncated: false }));
    const embeddings = (outputs: readonly (typeof hidden)[]): number[][] => {
      const items = facts.map((_, row) => ({
        outputs: outputs.map((tensor) => sliceRows(tensor, row, row + 1)),
      }));
      return embeddingsOf(info, resultOf(items, facts)).map((vector) => [...vector]);
    };
    const pooled = poolRows([other, hidden], lengths, { output: 1, pooling });
    expect(embeddings(pooled)).toEqual(embeddings([other, hidden]));
    expect(pooled.map(({ dims }) => dims)).toEqual([[3, 0], [3, 2]]); // prettier-ignore
  });

  it('leaves what it does not understand', () => {
    const halves = tensorOf('float16', [3, 3, 2], new Array<number>(18).fill(0x3c00));
    const short = tensorOf('float32', [3, 2, 1], [1, 2, 3, 4, 5, 6]);
    for (const tensor of [halves, short, tensorOf('float32', [3, 2], [1, 2, 3, 4, 5, 6])])
      expect(valuesOf(poolRows([tensor], lengths, { output: 0, pooling: 'mean' })[0]!)).toEqual(
        valuesOf(tensor),
      );
    const noBatch = [tensorOf('float32', [2], [1, 2]), other];
    expect(poolRows(noBatch, lengths, { output: 0, pooling: 'mean' })).toBe(noBatch);
  });

  it('is asked for by the items, which share no ride and no answer with others', () => {
    const encoded = {
      ids: Int32Array.of(1, 2, 3),
      lengths: Int32Array.of(2, 1),
      truncated: new Uint8Array(2),
    };
    const info = infoOf({});
    const plain = itemsOfTexts(encoded, info);
    const pool = { output: 0, pooling: 'cls' } as const;
    const pooled = itemsOfTexts(encoded, info, pool);
    expect(new Set([...plain, ...pooled].map(({ identity }) => identity)).size).toBe(4);
    expect(pooled[0]?.compat).not.toBe(plain[0]?.compat);
    expect(joinPayloads(pooled.map(({ payload }) => payload))).toMatchObject({ pool });
    expect(joinPayloads(plain.map(({ payload }) => payload))).not.toHaveProperty('pool');
  });
});
