import fc from 'fast-check';

const word = fc.constantFrom('', 'a', 'b 😀', '\ud800', '[MASK]', '{}');
const odd = fc.constantFrom(null, true, -1, 0.5, 7, 2 ** 31, 1e39, 2 ** 53, [], {}, [[]], '__proto__');
const ids = fc.array(fc.oneof(fc.nat(99), odd), { maxLength: 4 });
const texts = fc.array(fc.oneof({ weight: 9, arbitrary: word }, odd), { maxLength: 5 });
const pairs = fc.array(fc.oneof(texts, ids, odd), { maxLength: 5 });
const unit = fc.record({ text: fc.oneof(word, odd), text_pair: fc.oneof(word, odd) }, { requiredKeys: [] });
const row = fc.record({ x: fc.oneof(ids, odd), y: fc.oneof(ids, odd), z: odd }, { requiredKeys: [] });
const sentences = fc.record({ source_sentence: fc.oneof(word, odd), sentences: fc.oneof(texts, odd) }, { requiredKeys: [] }); // prettier-ignore
const ranks = fc.record({ query: fc.oneof(word, odd), texts: fc.oneof(texts, odd) }, { requiredKeys: [] });
const inputs = fc.oneof(word, texts, ids, pairs, unit, fc.array(unit, { maxLength: 5 }), fc.array(row, { maxLength: 5 }), row, sentences, ranks, odd); // prettier-ignore
const choice = fc.oneof(fc.constantFrom('left', 'Right', 'base64', 'float', 'softmax', 'simple', true, false, 3), odd); // prettier-ignore
const OPTIONS = ['truncate', 'truncation_direction', 'raw_scores', 'return_text', 'normalize', 'dimensions', 'prompt_name', 'model', 'encoding_format', 'add_special_tokens', 'skip_special_tokens', 'top_k', 'function_to_apply', 'aggregation_strategy', 'candidate_labels', 'multi_label', 'hypothesis_template', 'window', '__proto__'] as const; // prettier-ignore
const options = fc.dictionary(fc.constantFrom(...OPTIONS), fc.oneof(choice, texts, word), { maxKeys: 3, noNullPrototype: true }); // prettier-ignore
const PLACES = ['inputs', 'input', 'ids', 'instances'] as const;

/** Bodies that are often nearly right for some protocol. */
export const body = fc.oneof(
  { weight: 9, arbitrary: fc
    .tuple(fc.constantFrom(...PLACES), inputs, fc.option(ranks, { freq: 4 }), options, fc.option(options, { freq: 2 }))
    .map(([place, value, rank, own, parameters]) => ({ [place]: value, ...rank, ...own, ...(parameters === null ? {} : { parameters }) })) },
  fc.jsonValue(),
); // prettier-ignore

/** `right` with options of any protocol, and often with something else in place of its first member. */
export const near = (right: object): fc.Arbitrary<object> =>
  fc.tuple(fc.option(inputs, { freq: 3 }), options).map(([flaw, more]) => {
    const [key = ''] = Object.keys(right);
    return { ...right, ...more, ...(flaw === null ? {} : { [key]: flaw }) };
  });
