import type { Config } from '../config/schema.js';
import type { ModelInfo } from '../models/model-info.js';
import type { TensorSpec } from '../tensor.js';
import { elementCount } from '../tensor.js';

/** A line for people to paste holds no image. */
const MOST_VALUES = 64;

type Nested = number | string | boolean | readonly Nested[];

const nest = (value: Nested, dims: readonly number[]): Nested =>
  dims.reduceRight<Nested>((inner, dim) => Array.from({ length: dim }, () => inner), value);

const blank = ({ dtype }: TensorSpec): Nested => {
  if (dtype === 'string') return '';
  return dtype === 'bool' ? false : 0;
};

/** One row: symbolic dimensions take the size that the card's self-test gives them, else 1. */
const dimsOf = ({ shape }: TensorSpec, { batch, card }: ModelInfo): number[] =>
  shape.map((dim, axis) => {
    if (typeof dim === 'string') return axis === 0 ? 1 : (card.selfTest.dims[dim] ?? 1);
    return axis === 0 && batch.mode === 'fixed' ? 1 : dim;
  });

/** The key is the reader's to put in. */
const keyHeader = ({ access }: Config): string =>
  access === undefined ? '' : ' -H "authorization: Bearer $CARPOOL_KEY"';

const post = (url: string, body: unknown, config: Config): string => {
  const data = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl ${url}${keyHeader(config)} -H 'content-type: application/json' -d '${data}'`;
};

const textLine = (url: string, texts: readonly ModelInfo[], chosen: ModelInfo, config: Config): string => {
  const isImplied = texts.length === 1 || chosen.name === config.models.default;
  const body = { ...(isImplied ? {} : { model: chosen.name }), texts: ['Call now to claim your free prize'] };
  return post(`${url}/predict`, body, config);
};

const tensorLine = (url: string, model: ModelInfo, config: Config): string => {
  const address = `${url}/v1/models/${encodeURIComponent(model.name)}`;
  const inputs = model.signature.inputs.map((input) => ({ input, dims: dimsOf(input, model) }));
  const isSmall = inputs.every(({ dims }) => elementCount(dims) <= MOST_VALUES);
  if (!isSmall) return `curl ${address}${keyHeader(config)}`;
  const entries = inputs.map(({ input, dims }) => [input.name, nest(blank(input), dims)] as const);
  return post(`${address}/infer`, { inputs: Object.fromEntries(entries) }, config);
};

/**
 * One `curl` line that the gateway answers with 200: `/predict` with a text when a text model is loaded (the default
 * one first), else zeros for a tensor model, or its metadata where the zeros would fill the screen.
 */
export const curlLine = (url: string, models: readonly ModelInfo[], config: Config): string => {
  const byDefault = (candidates: readonly ModelInfo[]): ModelInfo | undefined =>
    candidates.find(({ name }) => name === config.models.default) ?? candidates[0];
  const texts = models.filter(({ takesTexts }) => takesTexts);
  const text = byDefault(texts);
  if (text !== undefined) return textLine(url, texts, text, config);
  const tensor = byDefault(models);
  return tensor === undefined ? `curl ${url}/health` : tensorLine(url, tensor, config);
};
