import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, ERROR_TABLE } from '../../src/errors.js';
import { parseBody, type ParseInput } from '../../src/protocol/parse.js';
import type { ParseView } from '../../src/protocol/own/parse.js';
import { body, near } from '../support/text-bodies.js';
import { bytesOf, spec } from './support.js';

const MAX_ROWS = 4;

const view: ParseView = {
  name: 'm',
  signature: { inputs: [spec('x', 'int64', ['N', 'L'])], outputs: [spec('z', 'float32', ['N'])] },
  takesTexts: true,
  maxRows: MAX_ROWS,
};
const two = {
  inputs: [spec('x', 'float32', ['N', 2]), spec('y', 'string', ['N'])],
  outputs: view.signature.outputs,
};

/** Each with a body that is right for it. */
const WAYS: readonly (readonly [name: string, right: object, way: (bytes: Uint8Array) => ParseInput])[] = [
  ['predict', { inputs: [['a'], ['a', 'b']] }, (bytes) => ({ route: 'predict', bytes, maxRows: MAX_ROWS })],
  ['openai', { input: [[1, 2], [3]] }, (bytes) => ({ route: 'openai', bytes, maxRows: MAX_ROWS })],
  [
    'hf',
    { inputs: ['a', { text: 'a', text_pair: 'b' }] },
    (bytes) => ({ route: 'hf', bytes, maxRows: MAX_ROWS }),
  ],
  ['kserve of a text model', { instances: ['a'] }, (bytes) => ({ route: 'kserve', bytes, view })],
  [
    'kserve of tensors',
    { instances: [{ x: [1, 2], y: 'a' }] },
    (bytes) => ({ route: 'kserve', bytes, view: { ...view, signature: two, takesTexts: false } }),
  ],
  ...(
    [
      ['embed', { inputs: ['a'] }],
      ['embed_all', { inputs: [1, 2] }],
      ['rerank', { query: 'a', texts: ['b'] }],
      ['similarity', { inputs: { source_sentence: 'a', sentences: ['b'] } }],
      ['tokenize', { inputs: 'a' }],
      ['decode', { ids: [[1], [2, 3]] }],
    ] as const
  ).map(
    ([call, right]) =>
      [
        call,
        right,
        (bytes: Uint8Array): ParseInput => ({ route: 'tei', call, bytes, maxRows: MAX_ROWS }),
      ] as const,
  ),
];

/** What was made of a body, or the code it was refused with. */
const outcome = (input: ParseInput): string => {
  try {
    const { input: made } = parseBody(input).request;
    if (made.kind === 'ids')
      expect(made.lengths.reduce((sum, length) => sum + length, 0)).toBe(made.ids.length);
    return made.kind;
  } catch (error) {
    const code = codeOf(error);
    if (ERROR_TABLE[code].http >= 500) throw error;
    return code;
  }
};

describe('whatever is posted to the protocols for texts', () => {
  it.each(WAYS)('is parsed or refused with a 4xx: %s', (_name, right, way) => {
    const nearlyRight = near(right);
    const seen = new Set<string>();
    const cut = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(fc.oneof(body, nearlyRight), fc.option(cut, { freq: 9 }), (value, lost) => {
        const text = JSON.stringify(value) as string | undefined;
        const bytes = bytesOf(text ?? '');
        seen.add(outcome(way(lost === null ? bytes : bytes.subarray(0, -lost))));
      }),
      { numRuns: 1500 },
    );
    expect(seen).toContain('INVALID_REQUEST');
    expect(seen.has('texts') || seen.has('ids') || seen.has('tensors')).toBe(true);
  });
});
