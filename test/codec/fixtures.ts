import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { toWireError } from '../../src/errors.js';
import type { WireError } from '../../src/errors.js';

const spamFile = (name: string): string =>
  readFileSync(new URL(`../../../models/spam/${name}`, import.meta.url), 'utf8');

export const spamTokenizerJson = (): string => spamFile('tokenizer.json');

export interface GoldenCase {
  readonly text: string;
  readonly token_ids: readonly number[];
  readonly truncated_ids_len: number;
}

/** Texts with the ids that the tokenizer of the training framework gives. */
export const spamGolden = (): { readonly max_length: number; readonly cases: readonly GoldenCase[] } =>
  JSON.parse(spamFile('golden.json')) as { max_length: number; cases: GoldenCase[] };

/** The spam tokenizer with some of its parts replaced. */
export const spamWith = (parts: object): string =>
  JSON.stringify({ ...(JSON.parse(spamTokenizerJson()) as object), ...parts });

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A RoBERTa-like byte-level BPE: 256 bytes, some merges, `<s>` … `</s>`, pad id 1. */
export const byteLevelJson = (): string => {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const vocab: Record<string, number> = { '<s>': 0, '<pad>': 1, '</s>': 2, '<unk>': 3 };
  let next = 4;
  for (let byte = 0, shifted = 256; byte < 256; byte++)
    vocab[String.fromCharCode(printable(byte) ? byte : shifted++)] = next++;
  const merges: [string, string][] = [];
  for (const a of `${LETTERS}Ġ`) for (const b of LETTERS) merges.push([a, b]);
  for (const [a, b] of merges) vocab[a + b] = next++;
  return JSON.stringify({
    added_tokens: ['<s>', '<pad>', '</s>'].map((content, id) => ({ id, content, special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    post_processor: { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0] },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', unk_token: '<unk>', vocab, merges },
  });
};

/** An XLM-R-like Unigram model; no special tokens. */
export const unigramJson = (): string => {
  const pieces: [string, number][] = [
    ['<unk>', 0],
    ['▁', -3],
  ];
  for (const a of LETTERS) pieces.push([a, -5], [`▁${a}`, -6]);
  for (const a of LETTERS) for (const b of 'aeiou') pieces.push([a + b, -8]);
  return JSON.stringify({
    added_tokens: [{ id: 0, content: '<unk>', special: true }],
    normalizer: { type: 'Precompiled', precompiled_charsmap: '' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'WhitespaceSplit' },
        { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
      ],
    },
    post_processor: null,
    decoder: null,
    model: { type: 'Unigram', unk_id: 0, vocab: pieces },
  });
};

/** Starts codec threads and keeps hold of them, so that a test can end one. */
export const recordedSpawn = (): { readonly spawn: () => Worker; readonly workers: Worker[] } => {
  const workers: Worker[] = [];
  const spawn = (): Worker => {
    const worker = new Worker(new URL('../../src/codec/worker.js', import.meta.url));
    workers.push(worker);
    return worker;
  };
  return { spawn, workers };
};

export const filled = (unit: string, length: number): string =>
  unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

export const thrownBy = (fn: () => unknown): WireError => {
  try {
    fn();
  } catch (error) {
    return toWireError(error);
  }
  throw new Error('expected an error, got none');
};

export const rejectionOf = async (promise: Promise<unknown>): Promise<WireError> => {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => toWireError(error),
  );
  if (outcome === undefined) throw new Error('expected a rejection, got none');
  return outcome;
};
