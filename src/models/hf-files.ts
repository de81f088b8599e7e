import { z } from 'zod';
import { labelsOf } from './labels.js';
import { readBeside } from './read-beside.js';

/** What is read of the files that a Hugging Face export has beside its model; wrong values count as missing ones. */
const optional = <T extends z.ZodType>(schema: T): z.ZodCatch<z.ZodOptional<T>> =>
  schema.optional().catch(undefined);

const config = z.looseObject({
  architectures: optional(z.array(z.string())),
  model_type: optional(z.string()),
  problem_type: optional(z.enum(['regression', 'single_label_classification', 'multi_label_classification'])),
  max_position_embeddings: optional(z.int().min(1)),
  pad_token_id: optional(z.int()),
});

const tokenizerConfig = z.looseObject({ model_max_length: optional(z.number().min(1)) });
const tokenizer = z.looseObject({ truncation: optional(z.looseObject({ max_length: z.int().min(1) })) });
const sentenceConfig = z.looseObject({ max_seq_length: optional(z.int().min(1)) });
/** A folder beside, as `1_Pooling`; nothing that leads elsewhere. */
const FOLDER = /^[\w-][\w.-]*$/;
const module = z.looseObject({ type: z.string(), path: optional(z.string().regex(FOLDER)) });
const modules = z.array(module);

const POOLINGS = ['cls', 'mean', 'max', 'mean_sqrt_len_tokens', 'lasttoken', 'weightedmean'] as const;
const pooling = z.looseObject({
  pooling_mode: optional(z.enum(POOLINGS)),
  pooling_mode_cls_token: optional(z.boolean()),
  pooling_mode_mean_tokens: optional(z.boolean()),
  pooling_mode_max_tokens: optional(z.boolean()),
  pooling_mode_mean_sqrt_len_tokens: optional(z.boolean()),
  pooling_mode_lasttoken: optional(z.boolean()),
  pooling_mode_weightedmean_tokens: optional(z.boolean()),
});

export type HfConfig = z.infer<typeof config>;
export type HfModule = z.infer<typeof module>;
export type HfPooling = z.infer<typeof pooling>;

export interface HfFiles {
  /** `config.json`; absent: no export of Hugging Face's. */
  readonly config?: HfConfig | undefined;
  /** Class names by index, of `id2label`. */
  readonly labels?: readonly string[] | undefined;
  /** Whether there is a `tokenizer.json`, and its own longest text. */
  readonly hasTokenizer: boolean;
  readonly bakedLength?: number | undefined;
  /** `model_max_length` of tokenizer_config.json; transformers writes 1e30 for none. */
  readonly modelMaxLength?: number | undefined;
  /** sentence-transformers: `modules.json`, `sentence_bert_config.json`, the pooling module's `config.json`. */
  readonly modules?: readonly HfModule[] | undefined;
  readonly maxSeqLength?: number | undefined;
  readonly pooling?: HfPooling | undefined;
  /** `preprocessor_config.json`, as it is. */
  readonly preprocessor?: unknown;
}

/** @throws MODEL_LOAD_FAILED for a file that can't be read or leads out of the root */
export const readHfFiles = async (folder: string, root: string): Promise<HfFiles> => {
  const textOf = (name: string): Promise<string | undefined> => readBeside(folder, name, root);
  const read = async <T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> =>
    parsed(await textOf(name), schema);
  const configText = await textOf('config.json');
  const list = await read('modules.json', modules);
  const poolingPath = list?.find(({ type }) => kindOf(type) === 'Pooling')?.path ?? '1_Pooling';
  const file = await read('tokenizer.json', tokenizer);
  return {
    config: parsed(configText, config),
    labels: labelsOf(configText),
    hasTokenizer: file !== undefined,
    bakedLength: file?.truncation?.max_length,
    modelMaxLength: (await read('tokenizer_config.json', tokenizerConfig))?.model_max_length,
    modules: list,
    maxSeqLength: (await read('sentence_bert_config.json', sentenceConfig))?.max_seq_length,
    pooling: await read(`${poolingPath}/config.json`, pooling),
    preprocessor: await read('preprocessor_config.json', z.unknown()),
  };
};

/** `sentence_transformers.models.Pooling` and its newer names all end in `Pooling`. */
export const kindOf = (type: string): string => type.slice(type.lastIndexOf('.') + 1);

const parsed = <T>(text: string | undefined, schema: z.ZodType<T>): T | undefined =>
  text === undefined ? undefined : schema.safeParse(json(text)).data;

const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
