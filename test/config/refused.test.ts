import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../src/config/config-error.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { problemsOf } from './problems-of.js';
import { configSchema, modelOverridesSchema } from '../../src/config/schema.js';

const SECTIONS = Object.keys(configSchema.shape).join(', ');
const OF_A_MODEL = Object.keys(modelOverridesSchema.shape).join(', ');

const resolve = (input: unknown) => resolveConfig(input, '/base');

type Bad = [what: string, input: unknown, path: string, expected: string, got: string, nearest?: string];

const wrongValues: Bad[] = [
  ['text for a number', { server: { port: '80a' } }, 'server.port', 'an integer 0..65535', '"80a"'],
  ['a port too high', { server: { port: 65_536 } }, 'server.port', 'an integer 0..65535', '65536'],
  ['half a port', { server: { port: 0.5 } }, 'server.port', 'an integer 0..65535', '0.5'],
  ['NaN', { batching: { maxWaitMs: Number.NaN } }, 'batching.maxWaitMs', 'a number 0..60000', 'NaN'],
  ['a negative', { batching: { maxWaitMs: -1 } }, 'batching.maxWaitMs', 'a number 0..60000', '-1'],
  ['no rows', { batching: { maxQueue: 0 } }, 'batching.maxQueue', 'an integer of at least 1', '0'],
  [
    'no time',
    { batching: { timeoutMs: 0 } },
    'batching.timeoutMs',
    'a number above 0 and of at most 3600000',
    '0',
  ],
  [
    'a password in an address',
    { limits: { redisUrl: 'http://user:secret@cache' } },
    'limits.redisUrl',
    'false or an address such as "redis://cache:6379"',
    'something else, not shown here',
  ],
  [
    'a password in the address of the cache',
    { cache: { redis: { url: 'http://user:secret@cache' } } },
    'cache.redis.url',
    'a URL such as "redis://cache.example.com:6379" (or rediss://), or "" for none',
    'something else, not shown here',
  ],
  ['an empty host', { server: { host: '' } }, 'server.host', 'a non-empty string', '""'],
  ['null', { server: { host: null } }, 'server.host', 'a non-empty string', 'null'],
  ['0 lanes', { lanes: { count: 0 } }, 'lanes.count', '"auto" or an integer 1..256', '0'],
  ['a word for lanes', { lanes: { count: 'all' } }, 'lanes.count', '"auto" or an integer 1..256', '"all"'],
  [
    'a near choice',
    { lanes: { isolation: 'threads' } },
    'lanes.isolation',
    'one of "thread", "process"',
    '"threads"',
    'thread',
  ],
  [
    'a choice in capitals',
    { log: { format: 'JSON' } },
    'log.format',
    'one of "auto", "json", "pretty"',
    '"JSON"',
    'json',
  ],
  [
    'no provider',
    { lanes: { executionProviders: [] } },
    'lanes.executionProviders',
    'a list of at least 1, each item a non-empty string',
    '[]',
  ],
  [
    'an origin with a slash',
    { server: { allowedOrigins: ['https://a.b', 'https://a.b/'] } },
    'server.allowedOrigins.1',
    'an origin such as "https://app.example.com" (no path, no final slash)',
    '"https://a.b/"',
  ],
  [
    'a host with a port',
    { server: { allowedHosts: ['*', 'a.example', '[::1]', 'a.example:80'] } },
    'server.allowedHosts.3',
    'a host name such as "gateway.example.com" (no port), or "*" for any',
    '"a.example:80"',
  ],
  [
    'a path as a model',
    { models: { load: ['../up'] } },
    'models.load.0',
    'the name of a model folder (no slashes)',
    '"../up"',
  ],
  [
    'a number as a model',
    { models: { load: [1] } },
    'models.load',
    '"*" or a list, each item the name of a model folder (no slashes)',
    '[ 1 ]',
  ],
  [
    'dots as a model',
    { models: { default: '..' } },
    'models.default',
    'the name of a model folder (no slashes)',
    '".."',
  ],
  ['a list for a section', { log: ['info'] }, 'log', 'an object with keys of level, format', "[ 'info' ]"],
  [
    'a value deep in a model',
    { models: { 'bert-v1.5': { batching: { maxBatch: 0 } } } },
    'models."bert-v1.5".batching.maxBatch',
    'an integer 1..65536',
    '0',
  ],
  [
    'a long value',
    { server: { port: 'x'.repeat(500) } },
    'server.port',
    'an integer 0..65535',
    `"${'x'.repeat(58)}…`,
  ],
  ['a list for everything', [], '', `an object with keys of ${SECTIONS}`, '[]'],
  ['null for everything', null, '', `an object with keys of ${SECTIONS}`, 'null'],
];

const batchingKeys =
  'one of maxBatch, maxWaitMs, echoHoldMs, maxBatchTokens, composition, sloMs, shedding, singleFlight, batchInvariance, calibrate, calibrateBudgetMs, maxQueue, timeoutMs';
const sections = `one of ${SECTIONS}`;

const unknownKeys: Bad[] = [
  [
    'letters swapped',
    { batching: { maxBtach: 8 } },
    'batching.maxBtach',
    batchingKeys,
    '8',
    'batching.maxBatch',
  ],
  [
    'another style',
    { batching: { max_queue: 8 } },
    'batching.max_queue',
    batchingKeys,
    '8',
    'batching.maxQueue',
  ],
  [
    'the unit forgotten',
    { batching: { maxWait: 8 } },
    'batching.maxWait',
    batchingKeys,
    '8',
    'batching.maxWaitMs',
  ],
  ['nothing near', { batching: { zzzzzzzz: 8 } }, 'batching.zzzzzzzz', batchingKeys, '8'],
  ['a section', { serves: {} }, 'serves', sections, '{}', 'server'],
  ['a key without its section', { maxBatch: 8 }, 'maxBatch', sections, '8', 'batching.maxBatch'],
  [
    'a key in another section',
    { lanes: { port: 1 } },
    'lanes.port',
    'one of isolation, count, intraOpThreads, executionProviders, runTimeoutFactor, runTimeoutMinMs, runTimeoutFirstMs, maxAbandoned, exitWhenStuck, maxRssBytes, breakerLosses, breakerWindowMs, breakerPauseMs',
    '1',
    'server.port',
  ],
  [
    'of a model',
    { models: { spam: { batch: {} } } },
    'models.spam.batch',
    `one of ${OF_A_MODEL}`,
    '{}',
    'models.spam.batching',
  ],
  [
    'of a model, without its section',
    { models: { spam: { maxBatch: 1 } } },
    'models.spam.maxBatch',
    `one of ${OF_A_MODEL}`,
    '1',
    'models.spam.batching.maxBatch',
  ],
  [
    'a fixed key of models that reads as a model',
    { models: { defualt: 'spam' } },
    'models.defualt',
    'the settings of a model named "defualt", an object with keys of batching',
    '"spam"',
    'models.default',
  ],
  ['__proto__', JSON.parse('{"__proto__": {"x": 1}}'), '__proto__', sections, '{ x: 1 }'],
  ['constructor', { constructor: 1 }, 'constructor', sections, '1'],
  ['toString, below', { batching: { toString: 1 } }, 'batching.toString', batchingKeys, '1'],
];

/** jest gives a shorter row's missing argument a callback of its own: fill the rows up. */
const refused = [...wrongValues, ...unknownKeys].map(
  ([what, input, path, expected, got, nearest]) => [what, input, path, expected, got, nearest] as const,
);

describe('resolveConfig refuses', () => {
  it.each(refused)('%s', (_what, input, path, expected, got, nearest) => {
    const problems = problemsOf(() => resolve(input));
    expect(problems.map((problem) => [problem.path, problem.expected, problem.got, problem.nearest])).toEqual(
      [[path, expected, got, nearest]],
    );
  });

  it('with all problems at once', () => {
    const input = { server: { port: -1, hots: 'x' }, q: 1, models: { a: { b: 1 }, c: 2 } };
    expect(problemsOf(() => resolve(input)).map(({ path }) => path)).toEqual([
      'server.port',
      'server.hots',
      'q',
      'models.a.b',
      'models.c',
    ]);
  });

  it('in words with path, expectation, value and hint', () => {
    const input = { server: { port: '80a' }, batching: { maxBtach: 8, nothing: 1 } };
    expect(() => resolve(input)).toThrow(
      new ConfigError([
        { path: '', message: 'server.port: expected an integer 0..65535, got "80a"' },
        {
          path: '',
          message: 'batching.maxBtach: unknown key (value 8); did you mean `batching.maxBatch`?',
        },
        { path: '', message: `batching.nothing: unknown key (value 1), expected ${batchingKeys}` },
      ]),
    );
  });
});
