/** In place of a part of the path, as they are sent. */
export const SEGMENTS: readonly string[] = [
  ...['%00', '%ff', '%zz', '%', '..', '.', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '%2F', '%5C..', '%F0%9F%9A%97'],
  ...[
    '__proto__',
    'constructor',
    'SPAM',
    'spam%20',
    'spam.',
    'spam:',
    ':predict',
    'spam:predict',
    'a:b:c',
    '*',
  ],
  ...[
    '{model}',
    '%7Bmodel%7D',
    '(',
    ')',
    '?',
    '%3Fx',
    '%23',
    '-1',
    '0',
    '1e9',
    'a'.repeat(4_000),
    '<script>',
    "'",
  ],
];

export const QUERIES: readonly string[] = [
  ...['?', '??', '?=', '?&&&', '?a', '?%', '?%ff=%ff', '?a=1&a=2', '?__proto__[x]=1', '?constructor=1', '?#'],
  ...[
    '?model=spam',
    '?model=',
    '?model=..%2f',
    '?model[]=spam',
    `?${'a'.repeat(6_000)}`,
    `?${'a=1&'.repeat(1_000)}`,
  ],
];

export const QUERY_VALUES = [
  '',
  '-1',
  '0',
  '1',
  '5',
  '1e9',
  'NaN',
  '1.5',
  'true',
  'null',
  '%00',
  '99999999999999999999',
  '[]',
];

export const METHODS = [
  'GET',
  'POST',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PUT',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'LINK',
];

export const MEDIA_TYPES: readonly string[] = [
  ...[
    'application/json',
    'application/json; charset=utf-8',
    'application/json; charset=utf-16',
    'APPLICATION/JSON',
  ],
  ...[
    'application/json;;;',
    'application/json; charset="utf-8',
    'text/plain',
    'text/json',
    '*/*',
    '',
    ';',
    'json',
  ],
  ...[
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'multipart/form-data',
    'image/png',
  ],
  ...[
    'image/jpeg',
    'image/webp',
    'image/svg+xml',
    'image/*',
    'application/octet-stream',
    'application/x-ndjson',
  ],
  ...[
    'application/grpc',
    'application/vnd.api+json',
    'application/json, application/json',
    'x'.repeat(3_000),
  ],
];

export const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  [
    'accept',
    ['application/x-ndjson', 'application/x-ndjson;q=0', '*/*', 'image/png', '', ',,,', 'x'.repeat(2_000)],
  ],
  ['accept-encoding', ['gzip', 'deflate', 'gzip;q=0', 'br', '*;q=0', 'identity;q=0', ';;;', 'gzip;q=abc']],
  [
    'inference-header-content-length',
    ['0', '1', '-1', '10', '99999999', '1e3', 'abc', '', '0x10', '9'.repeat(40)],
  ],
  ['x-request-id', ['a', '', 'x'.repeat(5_000), 'ä', '"\'', '../../x', '${jndi:ldap://x}']],
  ['x-server-timing', ['1', '0', 'yes']],
  [
    'traceparent',
    ['00-0-0-0', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, `ff-${'0'.repeat(32)}-x-01`, 'x'.repeat(999)],
  ],
  ['authorization', ['Bearer', 'Bearer x', 'Basic Og==', `Bearer ${'a.'.repeat(2_000)}`, 'Negotiate', '\t']],
  ['x-api-key', ['', 'x', 'null', 'x'.repeat(4_000)]],
  ['origin', ['null', 'http://evil.example', 'http://localhost', '', '*']],
  ['sec-fetch-site', ['cross-site', 'same-origin', 'none', 'x']],
  ['expect', ['100-continue', '100-CONTINUE', '200-ok', '']],
  ['range', ['bytes=0-', 'bytes=9999999-', 'bytes=-1', 'x']],
  ['if-none-match', ['*', '"x"', 'W/"x"', ',,,', '"'.repeat(500)]],
  ['x-forwarded-for', ['127.0.0.1', '::1', 'x, y, z', 'unknown']],
  ['cache-control', ['no-cache', 'max-age=0', 'x=,=']],
  ['upgrade', ['websocket', 'h2c', 'TLS/1.0']],
  ['te', ['trailers', 'chunked;q=0.5']],
  ['cookie', ['a=b', '=;=;', 'x'.repeat(3_000)]],
];

export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
