import { describe, expect, it } from '@jest/globals';
import { AGGREGATIONS, entitiesOf, type Entity } from '../../src/codec/tasks/index.js';
import { entityProblems } from './compare.js';
import { goldenOf, nameOf, tokenizerOf, type TextCase } from './golden.js';
import { infoOf, resultOf, spec, tensorOf } from '../protocol/support.js';

/** The ids of this text differ (tokenizers.test.ts), and so the words. */
const KNOWN: Readonly<Record<string, string>> = { 'xlmr-ner': '"I met 😀 John👍🏽 in 👨‍👩‍👧‍👦 Paris 🇩🇪!"' };
const LABELS = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];
const signature = { inputs: [], outputs: [spec('logits', 'float32', ['b', 't', LABELS.length])] };

describe.each(['bert-ner', 'roberta-ner', 'xlmr-ner'])("%s: entities of the reference's logits", (model) => {
  const golden = goldenOf(model);
  const tokenizer = tokenizerOf(model);
  const info = infoOf(
    { task: 'token-classification' },
    { labels: LABELS, signature, tokenizer: tokenizer.view },
  );
  const cases = golden.cases.filter((one) => nameOf(one) !== KNOWN[model]);

  const entities = (
    { text, logits = [] }: TextCase,
    aggregation: (typeof AGGREGATIONS)[number],
  ): Entity[] => {
    const maxTokens = golden.max_tokens;
    const {
      ids,
      special = [],
      offsets = [],
    } = tokenizer.encode(text, { maxTokens, wants: { offsets: true } });
    const fact = {
      tokens: ids.length,
      truncated: false,
      ids: Int32Array.from(ids),
      special: Uint8Array.from(special),
      pieces: ids.map((id) => tokenizer.pieceOf(id)),
      offsets: Int32Array.from(offsets),
    };
    const tensor = tensorOf('float32', [1, ids.length, LABELS.length], logits.flat());
    const result = resultOf([{ outputs: [tensor] }], [fact]);
    const [found] = entitiesOf(info, [text], result, { aggregation });
    return found ?? [];
  };

  it.each(AGGREGATIONS)('aggregation %s', (aggregation) => {
    const problems = cases.flatMap((one) =>
      entityProblems(nameOf(one), entities(one, aggregation), one.entities?.[aggregation] ?? []),
    );
    expect(problems).toEqual([]);
  });

  it('has entities to compare', () => {
    const count = AGGREGATIONS.map((name) =>
      cases.reduce((sum, one) => sum + (one.entities?.[name]?.length ?? 0), 0),
    );
    expect(Math.min(...count)).toBeGreaterThan(90);
  });
});
