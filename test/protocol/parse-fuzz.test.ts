import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, ERROR_TABLE } from '../../src/errors.js';
import { parseInfer, parseLoad, parsePredict, type ParseView } from '../../src/protocol/own/parse.js';
import { parseJson } from '../../src/protocol/json/parse-json.js';
import { DTYPES } from '../../src/tensor.js';
import { bytesOf, spec } from './support.js';

const KEYS = ['inputs', 'texts', 'outputs', 'timeoutMs', 'truncate', 'model', 'x', 'y', '__proto__', 'name'];

/** JSON that is often nearly right: known keys, nested lists, edge numbers. */
const nearlyRight = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, 0, 1.5, -1, 1e39, 2 ** 53, 2n ** 63n, '', 'a', 'x'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 4, selector: ([key]) => key })
      // A computed key makes `__proto__` a key like any other, as parsers do.
      .map((entries) => entries.reduce<object>((object, [key, value]) => ({ ...object, [key]: value }), {})), // prettier-ignore
  ),
})).value;

const views: fc.Arbitrary<ParseView> = fc.record({
  name: fc.constant('m'),
  signature: fc.record({
    inputs: fc.array(
      fc
        .tuple(
          fc.constantFrom('x', 'y', '__proto__'),
          fc.constantFrom(...DTYPES),
          fc.array(fc.constantFrom('N', 1, 2), { maxLength: 3 }),
        )
        .map(([name, dtype, shape]) => spec(name, dtype, shape)),
      { maxLength: 2 },
    ),
    outputs: fc.constant([spec('y', 'float32', ['N'])]),
  }),
  takesTexts: fc.boolean(),
  maxRows: fc.constant(3),
});

/** Answers the codes seen, so that a generator that never gets past the door is noticed. */
const refusals = (call: () => unknown, seen: Map<string, number>): void => {
  let code = 'answered';
  try {
    call();
  } catch (error) {
    const known = codeOf(error);
    const { http } = ERROR_TABLE[known];
    if (http < 400 || http >= 500) throw error;
    code = known;
  }
  seen.set(code, (seen.get(code) ?? 0) + 1);
};

const asDoubles = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));

describe('whatever is posted', () => {
  it('is answered or refused with a 4xx, never anything else', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(fc.oneof(nearlyRight, fc.jsonValue()), views, (body, view) => {
        refusals(() => parsePredict(body, 3), seen);
        refusals(() => parseInfer(body, view), seen);
        refusals(() => parseInfer({ inputs: body }, view), seen);
        refusals(() => parsePredict({ texts: body }, 3), seen);
        refusals(() => parseLoad(body), seen);
      }),
      { numRuns: 3000 },
    );
    expect([...seen.keys()].sort()).toEqual(['INVALID_REQUEST', 'PAYLOAD_TOO_LARGE', 'answered']);
  });

  it('parses, or is refused with a 4xx, as bytes too; and both parsers agree', () => {
    const seen = new Map<string, number>();
    const cut = fc.tuple(fc.json(), fc.nat(200)).map(([json, length]) => json.slice(0, length));
    fc.assert(
      fc.property(fc.oneof(fc.json(), cut, fc.string()), (text) => {
        refusals(() => parseJson(bytesOf(text)), seen);
        refusals(() => {
          const exact = parseJson(bytesOf(`[${text},9007199254740993]`));
          expect(asDoubles(exact)).toBe(asDoubles(JSON.parse(`[${text},9007199254740993]`)));
        }, seen);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => refusals(() => parseJson(bytes), seen)),
    );
    expect([...seen.keys()].sort()).toEqual(['INVALID_REQUEST', 'answered']);
  });
});
