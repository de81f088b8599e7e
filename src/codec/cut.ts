import { keyOf } from './key-of.js';
import type { TokenizerFile } from './tokenizer-file.js';

/**
 * Cutting a text before it is tokenised: of 1 MB that is truncated to 128 tokens only the first kilobyte matters.
 * The ids stay the same only where the tokenizer never looks across the cut, so it is made between words, and only
 * for tokenizers known to split there; every other text is tokenised whole.
 */
export interface CutRule {
  /** Matches the last character that is kept and the first one that is not. */
  readonly boundary: RegExp;
}

/** Normalizers that look no further than the white space beside a character. */
const LOCAL_NORMALIZERS: readonly unknown[] = [
  'BertNormalizer',
  'Lowercase',
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'Precompiled',
  'StripAccents',
];
/** Pre-tokenizers that split at white space (`ByteLevel` before it). */
const SPLITTING: readonly unknown[] = ['BertPreTokenizer', 'ByteLevel', 'Whitespace', 'WhitespaceSplit'];

/** Marks, controls and other white space before the cut are left out: they may belong to what follows. */
const VISIBLE = '[\\p{L}\\p{N}\\p{P}\\p{S}]';
const WORD_END = `${VISIBLE}[ \\t\\n\\r]`;
/** BERT sets Han characters apart, so that text without spaces can be cut there too. */
const BEFORE_HAN = `${VISIBLE}[\\u4e00-\\u9fff]`;

/** The rule for this tokenizer, or undefined where a text must be tokenised whole. */
export const cutRuleOf = (file: TokenizerFile): CutRule | undefined => {
  const normalizers = stepsOf(file.normalizer, 'normalizers');
  const [splitter] = stepsOf(file.pre_tokenizer, 'pretokenizers');
  if (!SPLITTING.includes(keyOf(splitter, 'type')) || keyOf(splitter, 'use_regex') === false)
    return undefined;
  if (!normalizers.every((step) => LOCAL_NORMALIZERS.includes(keyOf(step, 'type')))) return undefined;
  // A token with a boundary inside would be found across the cut.
  if (file.added_tokens.some(({ content }) => /[\s\u4e00-\u9fff]/.test(content.normalize('NFKC'))))
    return undefined;
  const setsHanApart =
    keyOf(normalizers[0], 'type') === 'BertNormalizer' &&
    keyOf(normalizers[0], 'handle_chinese_chars') === true;
  return { boundary: new RegExp(setsHanApart ? `${WORD_END}|${BEFORE_HAN}` : WORD_END, 'gu') };
};

/** The first place at or after `from` where `text` may be cut; its length where there is none. */
export const cutPosition = (rule: CutRule, text: string, from: number): number => {
  rule.boundary.lastIndex = from;
  const match = rule.boundary.exec(text);
  return match === null ? text.length : match.index + match[0].length - 1;
};

const stepsOf = (step: object | null, list: string): readonly unknown[] => {
  if (step === null) return [];
  const steps = keyOf(step, list);
  return keyOf(step, 'type') === 'Sequence' && Array.isArray(steps) ? steps : [step];
};
