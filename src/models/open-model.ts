import type { Codec } from '../codec/codec.js';
import { cardProblem } from '../codec/tasks/card-problem.js';
import { CarpoolError } from '../errors.js';
import type { Payload } from '../executor/join.js';
import type { Lane } from '../executor/lane.js';
import type { ModelSpec } from '../executor/protocol.js';
import { framedSignature } from '../images/recipe-for.js';
import { batchAxisOf } from './batch-axis.js';
import type { Card } from './card.js';
import type { TokenizerView } from './model-info.js';
import type { ModelSource } from './repository.js';
import { encodeSamples } from './sample-texts.js';
import { sampleRows } from './samples.js';
import { selfTest, type SelfTest } from './self-test.js';
import type { Signature } from './signature.js';
import { textCard } from './text-limits.js';

/** A lane for some work, alone there. */
export type OnLane = <T>(work: (lane: Lane) => Promise<T>) => Promise<T>;

export interface OpeningDeps {
  readonly codec: Codec;
  readonly executionProviders: readonly string[];
  readonly intraOpThreads: number;
  readonly onLane: OnLane;
}

/** A model that runs in one lane. */
export interface Opened {
  readonly spec: ModelSpec;
  readonly signature: Signature;
  /** What its shapes allow. */
  readonly test: SelfTest;
  /** With what the file says of texts. */
  readonly card: Card;
  /** Sample texts, encoded; undefined where it takes tensors. */
  readonly texts: readonly Payload[] | undefined;
  /** Of models that take raw texts. */
  readonly tokenizer?: TokenizerView;
}

/**
 * Opens a model in one lane, holds the card against the file, and runs the self-test. Whoever called closes the lane's
 * model and the tokenizer, both by `key`, whatever came of it.
 * @throws MODEL_LOAD_FAILED naming the file, WORKER_LOST
 */
export const openModel = async (
  { codec, executionProviders, intraOpThreads, onLane }: OpeningDeps,
  key: string,
  source: ModelSource,
): Promise<Opened> => {
  const opened =
    source.tokenizer === undefined ? undefined : await codec.openTokenizer(key, source.tokenizer);
  if (source.card.task === 'image-classification') await codec.images.open();
  const spec: ModelSpec = {
    key,
    file: source.file,
    executionProviders,
    intraOpThreads,
    ...(opened === undefined ? {} : { text: { padId: opened.padId } }),
  };
  return onLane(async (lane) => {
    const signature = await lane.load(spec);
    const problem = cardProblem(source.card, signature);
    if (problem !== undefined)
      throw new CarpoolError('MODEL_LOAD_FAILED', `${source.file}: model.yaml: ${problem}`);
    const card = opened === undefined ? source.card : textCard(source, signature, opened.specialTokens);
    const texts = opened === undefined ? undefined : await encodeSamples(codec, key, card);
    const axis = batchAxisOf(signature);
    const test = await selfTest({
      signature,
      axis,
      // Three of clearly different lengths: a model that can't take padding fails here.
      candidates:
        texts === undefined
          ? sampleRows(framedSignature(card, signature), card.selfTest.dims, axis.kind)
          : [texts.slice(0, 3)],
      run: (batch, fillTo) => lane.run(key, batch, fillTo),
    });
    return {
      ...{ spec, signature, test, card, texts },
      ...(opened === undefined ? {} : { tokenizer: opened.view }),
    };
  });
};
