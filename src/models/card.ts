import { z } from 'zod';
import { batchingOverrides } from '../config/batching.js';
import { imageSettings } from '../images/settings.js';

/**
 * `model.yaml`, the model's card: what the ONNX file can't say about itself. Every key is optional but `task`'s own;
 * a folder without a card is served as plain tensors.
 */
export const cardSchema = z.strictObject({
  /** Shown to clients; not interpreted. */
  version: z.string().min(1).default('1'),
  description: z.string().optional(),
  licence: z.string().optional(),
  /** All but `tabular-classification` (rows of numbers), `image-classification` and `tensor` (anything) take raw texts. */
  task: z
    .enum([
      'tensor',
      'text-classification',
      'tabular-classification',
      'token-classification',
      'embedding',
      'rerank',
      'image-classification',
    ])
    .default('tensor'),
  /** The ONNX file, relative to the card. */
  file: z.string().min(1).default('model.onnx'),
  /** Hex digest of the ONNX file; a file that differs is not loaded. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Text tasks: how a text becomes token ids. */
  text: z
    .strictObject({
      tokenizer: z.string().min(1).default('tokenizer.json'),
      /** Longest sequence that is run, special tokens included. */
      maxTokens: z.int().min(1).default(512),
      /** false: a longer text is refused (INPUT_TOO_LONG) unless the request says otherwise. */
      truncate: z.boolean().default(true),
    })
    .optional(),
  /** Image classification: how an image becomes the input. Default: the `preprocessor_config.json` beside the card. */
  image: imageSettings.optional(),
  /** Class names by index. Default for text models: `id2label` of the `config.json` beside the card. */
  labels: z.array(z.string()).min(1).optional(),
  /** Tasks with labels, and rerank: the output that holds the logits `[batch, …, labels]`. Default: the first output. */
  logits: z.string().optional(),
  /** What makes scores of logits. Default: `sigmoid` where there is one label, else `softmax`. */
  activation: z.enum(['softmax', 'sigmoid', 'none']).optional(),
  /** Embeddings: how the vectors of a text's tokens become one. */
  embedding: z
    .strictObject({
      /** Default: `sentence_embedding`, `last_hidden_state`, `token_embeddings` or the first, whichever is there. */
      output: z.string().optional(),
      /** For outputs `[batch, tokens, size]`; one of `[batch, size]` is taken as it is. */
      pooling: z.enum(['mean', 'cls', 'max', 'lasttoken', 'mean_sqrt_len_tokens']).default('mean'),
      /** To length 1, unless the request says otherwise. */
      normalize: z.boolean().default(false),
    })
    .prefault({}),
  /** Tabular classification: which outputs hold what, and the extra field of the answer. */
  classifier: z
    .strictObject({
      /** Output with the class index of each row, int64 `[batch]`. */
      predictions: z.string(),
      /** Output with the probabilities, float `[batch, classes]`. */
      probabilities: z.string(),
      /** `confidence` is the probability of this class. */
      positive: z.int().min(0).default(1),
      /** Name of a boolean answer field, true where the prediction is `positive`. */
      flag: z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/),
    })
    .optional(),
  /** Column names of an input's last axis, for the metadata and for messages: `{float_input: [Time, V1, …]}`. */
  features: z.record(z.string(), z.array(z.string())).optional(),
  /** Overrides of `batching` in config.yaml, for this model; config.yaml's `models.<name>.batching` wins over both. */
  batching: batchingOverrides.optional(),
  /** The tests at load of whether rows may be joined. */
  selfTest: z
    .strictObject({
      /** Sizes of symbolic dimensions other than the batch, by name, for the made-up inputs. */
      dims: z.record(z.string(), z.int().min(1)).default({}),
      /** Largest difference that counts as equal, absolute and relative, for float outputs. */
      tolerance: z.number().positive().default(1e-4),
    })
    .prefault({}),
});

export type Card = z.infer<typeof cardSchema>;
