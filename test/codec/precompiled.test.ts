import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PrecompiledTable } from '../../src/codec/precompiled.js';
import { openTokenizer } from '../../src/codec/tokenizer.js';
import { REFERENCE_MODELS } from '../reference/golden.js';
import { thrownBy, unigramJson } from './fixtures.js';

interface File {
  readonly normalizer: { readonly normalizers: readonly { readonly precompiled_charsmap?: string }[] };
}

// SentencePiece's nmt_nfkc, as XLM-R has it.
const file = JSON.parse(readFileSync(path.join(REFERENCE_MODELS, 'xlmr-ner/tokenizer.json'), 'utf8')) as File;
const encoded =
  file.normalizer.normalizers.find((step) => step.precompiled_charsmap)?.precompiled_charsmap ?? '';
const table = new PrecompiledTable(Buffer.from(encoded, 'base64'));
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

describe("SentencePiece's table", () => {
  it.each([
    ['ﬁne ½ Ⅷ ﾊﾝｶｸ', 'fine 1⁄2 VIII ハンカク'],
    ['a\tb\r\nc\u00a0d\u3000e', 'a b c d e'],
    // The second mark gets lost, in `tokenizers` too.
    ['cafe\u0301 e\u0323\u0302', 'café \u1eb9'],
    ['👨‍👩‍👧 ok\u200b', '👨‍👩‍👧 ok '],
    ['plain ASCII ~ stays!', 'plain ASCII ~ stays!'],
    ['', ''],
  ])('makes of %j', (text, normalized) => {
    expect(table.normalize(text)).toBe(normalized);
  });

  it('gives the same for a text as for its graphemes, one by one', () => {
    const unit = fc.constantFrom('a', 'é', 'e\u0301', '漢', 'か\u3099', 'カ', '©', '\ufe0f', '\u200d', '👍', '🏽', '한', '\u1100', '\u1161', '\r', '\n', ' ', 'ﬁ'); // prettier-ignore
    const texts = fc.oneof(fc.array(unit, { maxLength: 12 }).map((units) => units.join('')), fc.string({ unit: 'binary' })); // prettier-ignore
    fc.assert(
      fc.property(texts, (text) => {
        const parts = Array.from(graphemes.segment(text), ({ segment }) => table.normalize(segment));
        expect(table.normalize(text)).toBe(parts.join(''));
      }),
      { numRuns: 1000 },
    );
  });

  it('that is cut off is a failed load', () => {
    const cut = Buffer.from(encoded, 'base64').subarray(0, 1000).toString('base64');
    const json = JSON.stringify({
      ...(JSON.parse(unigramJson()) as object),
      normalizer: { type: 'Precompiled', precompiled_charsmap: cut },
    });
    expect(thrownBy(() => openTokenizer(json)).code).toBe('MODEL_LOAD_FAILED');
  });
});
