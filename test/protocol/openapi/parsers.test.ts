import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseLoad } from '../../../src/protocol/own/parse.js';
import { parseBody, type ParseInput } from '../../../src/protocol/parse.js';
import type { ParseView } from '../../../src/protocol/own/parse.js';
import { OPERATIONS } from '../../../src/protocol/openapi/operations/index.js';
import type { TeiCall } from '../../../src/protocol/tei/answer.js';
import { messageOf } from '../../../src/errors.js';
import { bytesOf, spec } from '../support.js';

const maxRows = 1000;
const texts: ParseView = {
  name: 'spam',
  signature: {
    inputs: [spec('input_ids', 'int64', ['n', 't'])],
    outputs: [spec('logits', 'float32', ['n', 2])],
  },
  takesTexts: true,
  takesImages: true,
  maxRows,
};
const rows: ParseView = {
  name: 'fraud_detector',
  signature: {
    inputs: [spec('float_input', 'float32', ['n', 30])],
    outputs: [spec('probabilities', 'float32', ['n', 2])],
  },
  takesTexts: false,
  maxRows,
};

const refusalBy = (parse: () => unknown): string | undefined => {
  try {
    parse();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
};

const by =
  (make: (bytes: Uint8Array, body: unknown) => ParseInput) =>
  (body: unknown): string | undefined =>
    refusalBy(() => parseBody(make(bytesOf(JSON.stringify(body)), body)));

const tei = (call: TeiCall): ((body: unknown) => string | undefined) =>
  by((bytes) => ({ route: 'tei', call, bytes, maxRows }));

const mentions = (body: unknown, ...keys: readonly string[]): boolean =>
  typeof body === 'object' && body !== null && keys.some((key) => key in body);

/** Schema -> why its parser refuses a body. */
const PARSERS: Readonly<Record<string, (body: unknown) => string | undefined>> = {
  PredictRequest: by((bytes) => ({ route: 'predict', bytes, maxRows })),
  LoadRequest: (body) => refusalBy(() => parseLoad(body)),
  EmbedRequest: tei('embed'),
  EmbedAllRequest: tei('embed_all'),
  RerankRequest: tei('rerank'),
  SimilarityRequest: tei('similarity'),
  TokenizeRequest: tei('tokenize'),
  DecodeRequest: tei('decode'),
  EmbeddingsRequest: by((bytes) => ({ route: 'openai', bytes, maxRows })),
  HfRequest: by((bytes) => ({ route: 'hf', bytes, maxRows })),
};

/** What these take depends on the model as well: they may refuse more than their schemas say. */
const STRICTER: typeof PARSERS = {
  InferRequest: by((bytes, body) => ({
    route: 'infer',
    bytes,
    view: mentions(body, 'texts', 'images') ? texts : rows,
  })),
  KservePredictRequest: by((bytes) => ({ route: 'kserve', bytes, view: texts })),
  OipInferRequest: by((bytes) => ({ route: 'oip', bytes, view: texts })),
};

const ELSEWHERE = ['RepositoryIndexRequest', 'RepositoryRequest'];

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const JUNK: readonly Json[] = [
  ...[
    null,
    true,
    false,
    0,
    1,
    -1,
    0.5,
    3,
    5000,
    1e7,
    '',
    'a',
    'left',
    'max',
    'none',
    'a,b',
    'a,,b',
    'is {}',
    '..',
  ],
  ...[[], [''], ['a', 'b'], [['a', 'b']], [['a']], [1, 2], [[1], [2]], [[]], [null], {}, { text: 'a' }],
  ...[{ text: 'a', text_pair: 'b' }, { stride: 2 }, { stride: null }, { combine: 'sum' }, { top_k: 0 }],
];

/** Keys of all bodies: one that means nothing here is as good as one that nobody knows. */
const KEYS = [
  ...new Set(OPERATIONS.flatMap(({ examples }) => examples.flatMap(({ body = {} }) => Object.keys(body)))),
  ...['pairs', 'text_pairs', 'truncate_from', 'hypothesis_template', 'priority', 'prompt_name', 'unknown'],
];

/** Where the value at `step` of a walk through the tree is put in its place, taken away, or put beside it. */
const change = (
  node: Json,
  steps: readonly number[],
  act: { readonly drop: boolean; readonly value: Json },
): Json => {
  const [step, ...rest] = steps;
  if (step === undefined || typeof node !== 'object' || node === null) return act.value;
  const entries: (readonly [string, Json])[] = Object.entries(node);
  const at = step % (entries.length + 1);
  const isList = Array.isArray(node);
  const changed = entries.flatMap(([key, child], i): (readonly [string, Json])[] => {
    if (i !== at) return [[key, child]];
    return rest.length === 0 && act.drop ? [] : [[key, change(child, rest, act)]];
  });
  if (at === entries.length) changed.push([isList ? '' : KEYS[step % KEYS.length]!, act.value]);
  return isList ? changed.map(([, child]) => child) : Object.fromEntries(changed);
};

const changes = fc.array(
  fc.record({
    steps: fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 4 }),
    act: fc.record({ drop: fc.boolean(), value: fc.constantFrom(...JUNK) }),
  }),
  { maxLength: 2 },
);

const BODIES = new Map(
  OPERATIONS.flatMap(({ body, examples }) =>
    body === undefined
      ? []
      : [[body.name, { schema: body.schema, examples: examples.map((each) => each.body ?? {}) }] as const],
  ),
);

const check = (name: string, agree: (accepted: boolean, refusal: string | undefined) => boolean): void => {
  const { schema, examples } = BODIES.get(name)!;
  const parse = (PARSERS[name] ?? STRICTER[name])!;
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...examples), changes, (example, all) => {
      const start: unknown = JSON.parse(JSON.stringify(example));
      const body = all.reduce((node, { steps, act }) => change(node, steps, act), start as Json);
      const { success, error } = schema.safeParse(body);
      seen[success ? 'accepted' : 'refused']++;
      const refusal = parse(body);
      if (!agree(success, refusal))
        throw new Error(
          `${JSON.stringify(body)}\nschema: ${error?.message ?? 'accepts'}\nparser: ${refusal ?? 'accepts'}`,
        );
    }),
    { numRuns: 2000 },
  );
  // The test is none where all bodies are of one kind.
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(100);
};

describe('schemas of bodies', () => {
  it('are held against a parser, all of them', () => {
    const known = [...Object.keys(PARSERS), ...Object.keys(STRICTER), ...ELSEWHERE];
    expect([...BODIES.keys()].toSorted()).toEqual(known.toSorted());
  });

  it.each(Object.keys(PARSERS))('%s: accepts what its parser accepts, and nothing else', (name) =>
    check(name, (accepted, refusal) => accepted === (refusal === undefined)),
  );

  it.each(Object.keys(STRICTER))('%s: what it refuses its parser refuses', (name) =>
    check(name, (accepted, refusal) => accepted || refusal !== undefined),
  );
});
