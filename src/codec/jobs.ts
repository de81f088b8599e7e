import { CarpoolError } from '../errors.js';
import type { IdsInput, TextUnit } from '../infer.js';
import type { TokenizerView } from '../models/model-info.js';
import { stripValues, type StripInput } from '../images/strip-values.js';
import { parseBody, type Parsed, type ParseInput } from '../protocol/parse.js';
import { tokensJson } from '../protocol/tei/tokens.js';
import { renderBody, type RenderInput } from '../protocol/render.js';
import { encodeTexts } from './encode.js';
import { decodeAll, type DecodeOptions } from './decode.js';
import type { EncodeOptions } from './encode.js';
import { encodedArrays, factsOf, type EncodedTexts } from './encoded-texts.js';
import { unpackResult } from './packed-result.js';
import type { PackedResult } from './packed-result.js';
import { openTokenizer } from './tokenizer.js';
import type { TextTokenizer } from './tokenizer.js';

/** The texts of a tokenizer's files. */
export interface TokenizerSource {
  /** `tokenizer.json`. */
  readonly json: string;
  /** `tokenizer_config.json`. */
  readonly configJson?: string;
}

/** What the gateway has to know of an opened tokenizer. */
export interface TokenizerFacts {
  /** Id that fills up the shorter texts of a batch. */
  readonly padId: number;
  /** Tokens that are added to every text; `maxTokens` must be larger. */
  readonly specialTokens: number;
  /** Most characters of a request that are cheap enough for the event loop. */
  readonly inlineChars: number;
  /** For those who read answers. */
  readonly view: TokenizerView;
}

export interface TokenizeInput {
  readonly key: string;
  readonly texts: readonly TextUnit[];
  /** Those that the tokenizer adds, too. */
  readonly special: boolean;
  /** Position of the first text in its request, for messages. */
  readonly firstIndex: number;
}

export interface DecodeInput extends DecodeOptions, Pick<IdsInput, 'ids' | 'lengths'> {
  readonly key: string;
}

export interface JobTypes {
  readonly ping: { readonly input: undefined; readonly output: undefined };
  readonly openTokenizer: {
    readonly input: TokenizerSource & { readonly key: string };
    readonly output: TokenizerFacts;
  };
  readonly closeTokenizer: { readonly input: { readonly key: string }; readonly output: undefined };
  readonly encode: {
    readonly input: EncodeOptions & { readonly key: string; readonly texts: readonly TextUnit[] };
    readonly output: EncodedTexts;
  };
  /** JSON of what is asked for, UTF-8, without the brackets around all of it. */
  readonly tokenize: { readonly input: TokenizeInput; readonly output: Uint8Array };
  readonly decode: { readonly input: DecodeInput; readonly output: Uint8Array };
  /** Some rows of a model's input, of some rows of an image. */
  readonly imageStrip: { readonly input: StripInput; readonly output: ReturnType<typeof stripValues> };
  readonly parse: { readonly input: ParseInput; readonly output: Parsed };
  /** UTF-8, so that the answer is moved to the event loop and written as it is. */
  readonly render: {
    readonly input: Omit<RenderInput, 'result'> & { readonly packed: PackedResult };
    readonly output: Uint8Array;
  };
}

export type JobName = keyof JobTypes;
export type JobInput<J extends JobName> = JobTypes[J]['input'];
export type JobOutput<J extends JobName> = JobTypes[J]['output'];
export type JobTable = { readonly [J in JobName]: (input: JobTypes[J]['input']) => JobTypes[J]['output'] };

/**
 * The work that may run on the event loop (small) or in the codec thread (large). Each table holds the tokenizers
 * opened through it and nothing else; all jobs are synchronous and throw CarpoolErrors.
 */
export const createJobs = (): JobTable => {
  const tokenizers = new Map<string, TextTokenizer>();
  const tokenizerOf = (key: string): TextTokenizer => {
    const tokenizer = tokenizers.get(key);
    if (tokenizer !== undefined) return tokenizer;
    throw new CarpoolError('MODEL_UNAVAILABLE', `the tokenizer of ${key} is closed; the model was unloaded`);
  };
  return {
    ping: () => undefined,
    openTokenizer: ({ key, json, configJson }) => {
      const tokenizer = openTokenizer(json, configJson);
      tokenizers.set(key, tokenizer);
      const { padId, special, inlineChars, view } = tokenizer;
      return { padId, inlineChars, view, specialTokens: special.prefix.length + special.suffix.length };
    },
    closeTokenizer: ({ key }) => {
      tokenizers.delete(key);
      return undefined;
    },
    encode: ({ key, texts, ...options }) => encodeTexts(tokenizerOf(key), texts, options),
    tokenize: ({ key, texts, special, firstIndex }) => {
      const wants = { ids: true, offsets: true };
      const options = { maxTokens: Infinity, truncate: true, wants, firstIndex };
      const facts = factsOf(encodeTexts(tokenizerOf(key), texts, options));
      return Buffer.from(facts.map((each, i) => tokensJson(texts[i] ?? '', each, special)).join(','));
    },
    decode: ({ key, ids, lengths, ...options }) => {
      const texts = decodeAll(tokenizerOf(key), { ids, lengths }, options);
      return Buffer.from(texts.map((text) => JSON.stringify(text)).join(','));
    },
    imageStrip: stripValues,
    parse: parseBody,
    render: ({ packed, ...input }) => Buffer.from(renderBody({ ...input, result: unpackResult(packed) })),
  };
};

/** What of a job's output may be moved to the receiver; empty where copying is all there is. */
export const outputArrays = (
  output: JobOutput<JobName>,
): readonly (ArrayBufferView | readonly string[])[] => {
  if (output === undefined) return [];
  if (ArrayBuffer.isView(output)) return [output];
  if ('lengths' in output) return encodedArrays(output);
  if ('request' in output) {
    const { input } = output.request;
    if (input.kind === 'tensors') return input.tensors.map(({ data }) => data);
    if (input.kind === 'ids') return [input.ids, input.lengths];
    if (input.kind === 'images') return input.images;
  }
  return [];
};
