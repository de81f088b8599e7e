import type { SeededRandom } from '../chaos/seeded-random.js';
import type { Json } from './json.js';

/** Pieces of text in place of a value that JSON.stringify would never write; some of them are JSON, some are not. */
export const RAW_JSON: readonly string[] = [
  ...['1e400', '-1e400', '1E-400', '-0', '1.0000000000000000000001', '123456789012345678901234567890'],
  ...['-9223372036854775809', '18446744073709551616', '0.1e+1', '1e2147483648', '1'.repeat(5_000)],
  ...['00', '+1', '.5', '1.', '0x10', 'NaN', 'Infinity', '-Infinity', 'undefined', 'tru', "'x'", '1_000'],
  ...[
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"\\x41"',
    '"\\',
    '"\t"',
    '"a\nb"',
    '/*c*/1',
    '1,',
    '[1,]',
  ],
  `${'['.repeat(200)}${']'.repeat(200)}`,
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
];

/** Stands in a value for a piece of RAW_JSON; printing puts the piece there. */
const rawMark = (index: number): string => `@raw${index}@`;

export const STRINGS: readonly string[] = [
  ...['', ' ', '\u0000', '\u0000\u0000spam', '\ufeff', '\ufffe', '\u202e\u202d', '\ud800', '\udfff\ud800'],
  ...[
    'a\u0300\u0301\u0302\u0303\u0304',
    '👩‍👩‍👧‍👦',
    '𝕳𝖊𝖑𝖑𝖔',
    '\u200b\u200d',
    'ﷺ',
    'İıſ',
    '\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  ],
  ...[
    'null',
    'NaN',
    '1e999',
    '-1',
    '0',
    'true',
    '[]',
    '{}',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ],
  ...[
    '../../etc/passwd',
    '..\\..\\x',
    '/etc/passwd',
    'file:///etc/passwd',
    'http://127.0.0.1:1/',
    'C:\\x',
    '~',
    '.',
    '..',
  ],
  ...[
    'data:image/png;base64,',
    'data:image/png;base64,AAAA',
    'data:,x',
    'iVBORw0KGgo=',
    '====',
    '%00',
    '%ff',
    '${7*7}',
  ],
  ...[
    "' OR 1=1 --",
    '<script>alert(1)</script>',
    '$(reboot)',
    '[PAD]',
    '[MASK][SEP][CLS]',
    '##a',
    '▁'.repeat(50),
  ],
  ...['FP32', 'FP16', 'BYTES', 'INT64', 'BOOL', 'UINT8', 'BF16', 'float', 'base64', 'mean', 'max', 'simple'],
  'a'.repeat(10_000),
  'é '.repeat(3_000),
  '😀'.repeat(2_000),
  '\u0300'.repeat(5_000),
];

const NUMBERS: readonly number[] = [
  ...[0, -0, 1, -1, 2, 3, 0.5, -0.5, 63, 64, 65, 127, 128, 255, 256, 1e3, 1e4, 1e5, 10_001, 65_535, 65_536],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 2 ** 64, 1e21, 1e308],
  ...[-1e308, 5e-324, Number.EPSILON, 3.4e38, 3.5e38, 65_504, 65_520],
];

const KEYS: readonly string[] = [
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'length',
    '',
    ' ',
    '\u0000',
    '😀',
    '0',
    '-1',
    'a'.repeat(2_000),
  ],
  ...[
    'model',
    'models',
    'texts',
    'inputs',
    'instances',
    'input',
    'text',
    'text_pair',
    'query',
    'parameters',
    'images',
  ],
  ...[
    'timeoutMs',
    'priority',
    'scores',
    'top_k',
    'truncate',
    'normalize',
    'dimensions',
    'encoding_format',
    'user',
  ],
  ...[
    'window',
    'candidate_labels',
    'aggregation',
    'outputs',
    'id',
    'binary_data_size',
    'classification',
    'stride',
  ],
  ...[
    'return_tokens',
    'raw_scores',
    'return_text',
    'truncation_direction',
    'prompt_name',
    'ids',
    'name',
    'path',
  ],
];

const nested = (depth: number, random: SeededRandom): Json => {
  let value: Json = random.pick(NUMBERS);
  for (let level = 0; level < depth; level++) value = random.next() < 0.7 ? [value] : { a: value };
  return value;
};

export const hostileKey = (random: SeededRandom): string => random.pick(KEYS);

/** Anything but what was expected: bounded to some ten thousand characters. */
export const hostileValue = (random: SeededRandom): Json => {
  switch (random.weighted({ simple: 2, number: 4, string: 4, raw: 2, list: 2, object: 1, deep: 1 })) {
    case 'simple':
      return random.pick([null, true, false, [], {}, [[]], [{}], [null]]);
    case 'number':
      return random.pick(NUMBERS);
    case 'string':
      return random.pick(STRINGS);
    case 'raw':
      return rawMark(random.between(0, RAW_JSON.length - 1));
    case 'list':
      return Array.from({ length: random.between(1, 300) }, () =>
        random.next() < 0.5 ? random.pick(NUMBERS) : random.pick(STRINGS.slice(0, 20)),
      );
    case 'object':
      return {
        [hostileKey(random)]: random.pick(NUMBERS),
        [hostileKey(random)]: random.pick(STRINGS),
      };
    case 'deep':
      return nested(random.pick([3, 30, 100, 900]), random);
  }
};
