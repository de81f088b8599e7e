import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseLogLevel } from '../../../src/protocol/own/log-level-route.js';
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
  SetLogLevel: (body) => refusalBy(() => parseLogLevel(body)),
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

const ELSEWHERE = ['VersionPolicy', 'RepositoryIndexRequest', 'RepositoryRequest'];

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const plain = (body: object): Json => JSON.parse(JSON.stringify(body)) as Json;

const membersOf = (body: object): Readonly<Record<string, Json>> =>
  JSON.parse(JSON.stringify(body)) as Readonly<Record<string, Json>>;

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

/** Members of all bodies, and some that no example has: what means nothing here is as good as what nobody knows. */
const MEMBERS: readonly (readonly [string, Json])[] = [
  ...OPERATIONS.flatMap(({ examples }) =>
    examples.flatMap(({ body = {} }): [string, Json][] => Object.entries(membersOf(body))),
  ),
  ...Object.entries({
    ...{
      pairs: [['a', 'b']],
      text_pairs: ['a'],
      query: 'a',
      truncate_from: 'left',
      truncation_direction: 'Left',
    },
    ...{
      hypothesis_template: 'is {}',
      candidate_labels: 'a,b',
      multi_label: true,
      priority: 2,
      prompt_name: 'a',
    },
    ...{ function_to_apply: 'none', aggregation_strategy: 'max', raw_scores: true, unknown: 1 },
  }),
];

/** Every body with one value, at any depth, in place of another, or left out. */
function* changedOnce(node: Json): Generator<Json> {
  yield* JUNK;
  if (typeof node !== 'object' || node === null) return;
  const entries: (readonly [string, Json])[] = Object.entries(node);
  const build = (parts: typeof entries): Json =>
    Array.isArray(node) ? parts.map(([, child]) => child) : Object.fromEntries(parts);
  for (const [at, [key, child]] of entries.entries()) {
    yield build(entries.toSpliced(at, 1));
    for (const changed of changedOnce(child)) yield build(entries.with(at, [key, changed]));
  }
}

/** Members put into a body, or in place of its own. */
const additions = fc.array(
  fc.tuple(fc.constantFrom(...MEMBERS), fc.option(fc.constantFrom(...JUNK), { freq: 2 })),
  { minLength: 1, maxLength: 3 },
);

const BODIES = new Map(
  OPERATIONS.flatMap(({ body, examples }) =>
    body === undefined
      ? []
      : [[body.name, { schema: body.schema, examples: examples.map((each) => each.body ?? {}) }] as const],
  ),
);

/** What stands in `parameters` counts, whatever stands beside `inputs`: no schema says that. */
const isSaidTwice = (body: Json): boolean => {
  if (typeof body !== 'object' || body === null || !('parameters' in body)) return false;
  const { parameters } = body;
  if (typeof parameters !== 'object' || parameters === null) return false;
  return Object.keys(parameters).some((key) => mentions(body, key));
};

const check = (name: string, agree: (accepted: boolean, refusal: string | undefined) => boolean): void => {
  const { schema, examples } = BODIES.get(name)!;
  const parse = (PARSERS[name] ?? STRICTER[name])!;
  const seen = { accepted: 0, refused: 0 };
  const compare = (body: Json): void => {
    if (isSaidTwice(body)) return;
    const { success, error } = schema.safeParse(body);
    seen[success ? 'accepted' : 'refused']++;
    const refusal = parse(body);
    if (!agree(success, refusal))
      throw new Error(
        `${JSON.stringify(body)}\nschema: ${error?.message ?? 'accepts'}\nparser: ${refusal ?? 'accepts'}`,
      );
  };
  for (const example of examples) for (const body of changedOnce(plain(example))) compare(body);
  fc.assert(
    fc.property(fc.constantFrom(...examples), additions, (example, members) => {
      const added = members.map(([[key, value], junk]) => [key, junk ?? value] as const);
      compare(plain({ ...example, ...Object.fromEntries(added) }));
    }),
    { numRuns: 2000 },
  );
  // The test is none where all bodies are of one kind.
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(0);
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
