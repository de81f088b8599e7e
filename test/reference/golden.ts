import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { openTokenizer, type TextTokenizer } from '../../src/codec/tokenizer.js';
import type { TextUnit } from '../../src/infer.js';
import { REPO_ROOT } from '../support/start-gateway.js';

export const REFERENCE_MODELS = path.join(REPO_ROOT, 'test/reference/models');
export const REFERENCE_IMAGES = path.join(REPO_ROOT, 'test/reference/images');

export interface CutIds {
  readonly ids: readonly number[];
  readonly type_ids?: readonly number[];
}

export interface TextCase {
  readonly text: string;
  readonly pair?: string;
  readonly ids: readonly number[];
  /** Absent for models that take none. */
  readonly type_ids?: readonly number[];
  /** In Unicode code points. */
  readonly offsets: readonly (readonly [number, number])[];
  readonly tokens: readonly string[];
  readonly decoded: string;
  /** Where the ids are more than `max_tokens`. */
  readonly cut?: CutIds;
  readonly cut_left?: CutIds;
  /** `[labels]` or `[tokens][labels]`; none for embeddings. */
  readonly logits?: readonly number[] | readonly (readonly number[])[];
  readonly scores?: Readonly<Record<string, number>>;
  readonly entities?: Readonly<Record<string, readonly GoldenEntity[]>>;
}

export interface GoldenEntity {
  readonly entity?: string;
  readonly entity_group?: string;
  readonly index?: number;
  readonly score: number;
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

export interface ZeroShotCase {
  readonly text: string;
  readonly labels: readonly string[];
  readonly multi_label?: boolean;
  readonly template?: string;
  readonly scores: Readonly<Record<string, number>>;
}

export interface RerankCase {
  readonly query: string;
  readonly texts: readonly string[];
  readonly scores: readonly number[];
  readonly raw_scores: readonly number[];
}

export interface TextGolden {
  readonly task: string;
  readonly max_tokens: number;
  readonly cases: readonly TextCase[];
  readonly zero_shot?: readonly ZeroShotCase[];
  readonly queries?: readonly RerankCase[];
}

export interface EmbeddingGolden extends TextGolden {
  readonly pooling: string;
  readonly embeddings: readonly (readonly number[])[];
  readonly normalized: readonly (readonly number[])[];
  readonly dimensions: number;
  readonly cut_normalized: readonly (readonly number[])[];
}

export interface ImageCase {
  readonly file: string;
  /** base64 of uint8 `[height, width, 3]`. */
  readonly pixels: string;
  readonly logits: readonly number[];
  readonly scores: Readonly<Record<string, number>>;
}

const fileOf = (model: string, file: string): string =>
  readFileSync(path.join(REFERENCE_MODELS, model, file), 'utf8');

// The files come from make_reference.py; their shape is held by the tests that read them.
export const goldenOf = (model: string): TextGolden => JSON.parse(fileOf(model, 'golden.json')) as TextGolden;
export const embeddingGoldenOf = (model: string): EmbeddingGolden =>
  JSON.parse(fileOf(model, 'golden.json')) as EmbeddingGolden;
export const imageGoldenOf = (model: string): readonly ImageCase[] =>
  (JSON.parse(fileOf(model, 'golden.json')) as { readonly cases: readonly ImageCase[] }).cases;

export const tokenizerOf = (model: string): TextTokenizer =>
  openTokenizer(fileOf(model, 'tokenizer.json'), fileOf(model, 'tokenizer_config.json'));

/** Every text model, by name. */
export const TEXT_MODELS: readonly string[] = readdirSync(REFERENCE_MODELS).filter((model) =>
  readdirSync(path.join(REFERENCE_MODELS, model)).includes('tokenizer.json'),
);

export const unitOf = ({ text, pair }: TextCase): TextUnit => (pair === undefined ? text : [text, pair]);

/** Enough of a case to find it by. */
export const nameOf = ({ text, pair }: TextCase): string =>
  JSON.stringify(pair === undefined ? text.slice(0, 60) : [text.slice(0, 40), pair.slice(0, 40)]);

/** NaN is off. */
export const isNear = (got: number | undefined, expected: number, tolerance: number): boolean =>
  Math.abs((got ?? NaN) - expected) <= tolerance;
