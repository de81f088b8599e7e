import { CarpoolError } from '../errors.js';
import { preprocessorSettings } from '../images/preprocessor.js';
import type { Card } from './card.js';
import { kindOf, type HfConfig, type HfFiles, type HfPooling } from './hf-files.js';

/** What of a card the files of a Hugging Face export say; a card's own keys win. */
export interface FoundCard {
  readonly task?: Card['task'];
  readonly labels?: readonly string[];
  readonly activation?: Card['activation'];
  readonly text?: { readonly maxTokens: number };
  readonly image?: object;
  readonly embedding?: { readonly pooling: string; readonly normalize: boolean };
}

/** Where neither the model nor the tokenizer sets a limit. */
const USUAL_TOKENS = 512;
/** What transformers writes for "no limit" is 1e30. */
const SANE_TOKENS = 1_000_000;

/** Their positions begin behind that of the padding. */
const POSITIONS_AFTER_PADDING: readonly string[] = [
  'camembert',
  'data2vec-text',
  'longformer',
  'mpnet',
  'roberta',
  'roberta-prelayernorm',
  'xlm-roberta',
  'xlm-roberta-xl',
];

/**
 * A card made of the files. Without a config.json it says nothing: the model is plain tensors.
 * @throws MODEL_LOAD_FAILED where modules.json has steps that we do not run
 */
export const foundCard = (files: HfFiles): FoundCard => {
  const { config, labels } = files;
  if (config === undefined) return {};
  const task = taskOf(files, config, labels?.length ?? 2);
  const activation = activationOf(config);
  return {
    ...(task === undefined ? {} : { task }),
    ...(labels === undefined ? {} : { labels }),
    ...(activation === undefined ? {} : { activation }),
    ...(files.hasTokenizer ? { text: { maxTokens: maxTokensOf(files, config) } } : {}),
    ...(task === 'embedding' ? { embedding: embeddingOf(files) } : {}),
    ...(task === 'image-classification' ? { image: preprocessorSettings(files.preprocessor) } : {}),
  };
};

const taskOf = (
  { modules, hasTokenizer, preprocessor }: HfFiles,
  { architectures: [architecture = ''] = [], problem_type }: HfConfig,
  labels: number,
): Card['task'] | undefined => {
  if (architecture.endsWith('ForImageClassification'))
    return preprocessor === undefined ? undefined : 'image-classification';
  if (!hasTokenizer) return undefined;
  if (modules !== undefined && modules.some(({ type }) => kindOf(type) === 'Transformer')) return 'embedding';
  if (architecture.endsWith('ForTokenClassification')) return 'token-classification';
  // As text-embeddings-inference tells them apart: one label that is no regression ranks.
  if (architecture.endsWith('ForSequenceClassification'))
    return labels === 1 && problem_type !== 'regression' ? 'rerank' : 'text-classification';
  return architecture.endsWith('Model') ? 'embedding' : undefined;
};

const activationOf = ({ problem_type }: HfConfig): Card['activation'] => {
  switch (problem_type) {
    case 'regression':
      return 'none';
    case 'multi_label_classification':
      return 'sigmoid';
    // One label gets a sigmoid whatever its problem is called.
    case 'single_label_classification':
    case undefined:
      return undefined;
  }
};

/**
 * The tightest limit of the model's positions and of what its makers meant it to take. The truncation in tokenizer.json
 * counts only where nothing else says anything: neither transformers nor sentence-transformers heed it else.
 */
const maxTokensOf = (files: HfFiles, config: HfConfig): number => {
  const meant = files.maxSeqLength ?? files.modelMaxLength ?? Infinity;
  const limits = [meant, positionsOf(config)].filter((limit) => limit <= SANE_TOKENS);
  return limits.length > 0 ? Math.floor(Math.min(...limits)) : (files.bakedLength ?? USUAL_TOKENS);
};

const positionsOf = ({ model_type = '', max_position_embeddings, pad_token_id = 1 }: HfConfig): number => {
  if (max_position_embeddings === undefined) return Infinity;
  const taken = POSITIONS_AFTER_PADDING.includes(model_type) ? pad_token_id + 1 : 0;
  return Math.max(1, max_position_embeddings - taken);
};

/** What sentence-transformers does with a folder: its pooling, or a mean where it has no modules. */
const embeddingOf = ({ modules = [], pooling }: HfFiles): NonNullable<FoundCard['embedding']> => {
  const kinds = modules.map(({ type }) => kindOf(type));
  const strange = kinds.find((kind) => !['Transformer', 'Pooling', 'Normalize'].includes(kind));
  if (strange !== undefined)
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `modules.json: expected Transformer, Pooling and Normalize, got ${strange}; export it into the ONNX file and say so with "embedding" in model.yaml`,
    );
  const named = pooling === undefined ? ['mean'] : poolingsOf(pooling);
  const [only = 'mean', another] = named;
  if (another !== undefined || only === 'weightedmean')
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `1_Pooling/config.json: expected one of cls, mean, max, lasttoken, mean_sqrt_len_tokens, got ${named.join(' and ')}`,
    );
  return { pooling: only, normalize: kinds.includes('Normalize') };
};

const poolingsOf = (pooling: HfPooling): string[] => {
  if (pooling.pooling_mode !== undefined) return [pooling.pooling_mode];
  const flags = [
    ['cls', pooling.pooling_mode_cls_token],
    ['mean', pooling.pooling_mode_mean_tokens],
    ['max', pooling.pooling_mode_max_tokens],
    ['mean_sqrt_len_tokens', pooling.pooling_mode_mean_sqrt_len_tokens],
    ['lasttoken', pooling.pooling_mode_lasttoken],
    ['weightedmean', pooling.pooling_mode_weightedmean_tokens],
  ] as const;
  return flags.flatMap(([name, set]) => (set === true ? [name] : []));
};
