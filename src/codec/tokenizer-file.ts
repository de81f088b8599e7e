import { z } from 'zod';
import { CarpoolError, messageOf } from '../errors.js';

/** The parts of a Hugging Face `tokenizer.json` that are looked at here; the library reads the rest. */
const part = z.looseObject({ type: z.string().optional() }).nullable().default(null);

const tokenizerFile = z.looseObject({
  // The library insists on keys that the format allows to be absent.
  added_tokens: z.array(z.looseObject({ id: z.int().min(0), content: z.string() })).default([]),
  normalizer: part,
  pre_tokenizer: part,
  post_processor: part,
  decoder: part,
  padding: z.looseObject({ pad_id: z.int().min(0).optional() }).nullish(),
  truncation: z.looseObject({ direction: z.string().optional(), max_length: z.int().optional() }).nullish(),
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.custom<object>((vocab) => typeof vocab === 'object' && vocab !== null, 'expected a vocabulary'),
  }),
});

/** `tokenizer_config.json`: handed to the library whole. */
const tokenizerConfig = z.looseObject({
  truncation_side: z.enum(['left', 'right']).optional().catch(undefined),
  pad_token: z.union([z.string(), z.looseObject({ content: z.string() })]).nullish(),
});

export type TokenizerFile = z.infer<typeof tokenizerFile>;
export type TokenizerConfig = z.infer<typeof tokenizerConfig>;

/** @throws CarpoolError MODEL_LOAD_FAILED naming the key and what was expected there. */
export const readTokenizerFile = (json: string): TokenizerFile => read('tokenizer.json', tokenizerFile, json);

/** @throws CarpoolError MODEL_LOAD_FAILED naming the key and what was expected there. */
export const readTokenizerConfig = (json: string): TokenizerConfig =>
  read('tokenizer_config.json', tokenizerConfig, json);

const read = <T>(file: string, schema: z.ZodType<T>, json: string): T => {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new CarpoolError('MODEL_LOAD_FAILED', `${file}: not valid JSON: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new CarpoolError('MODEL_LOAD_FAILED', `${file}${where}: ${issue?.message ?? 'not understood'}`);
};
