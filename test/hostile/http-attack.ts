import type { SeededRandom } from '../chaos/seeded-random.js';
import type { Attack } from './attack.js';
import { head } from './attack.js';
import { coded, trickedBody } from './body-tricks.js';
import { binaryBody } from './binary-body.js';
import { mutated, printed, type Json } from './json.js';
import type { Target } from './targets.js';

export interface HttpAttackDeps {
  readonly targets: readonly Target[];
  readonly bodyLimitBytes: number;
  /** Models that good callers use too: admin requests are turned away from these. */
  readonly models: readonly string[];
}

const SEGMENTS: readonly string[] = [
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

const QUERIES: readonly string[] = [
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

const QUERY_VALUES = [
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

const METHODS = [
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

const MEDIA_TYPES: readonly string[] = [
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

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
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

const hostileQuery = ({ query }: Target, random: SeededRandom): string =>
  query.length === 0 || random.next() < 0.3
    ? random.pick(QUERIES)
    : `?${random.pick(query)}=${random.pick(QUERY_VALUES)}`;

const fill = (template: string, valueOf: (name: string) => string): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => valueOf(name));

/** A request whose framing is right: it must be answered, and the connection stays good for the next. */
export const httpAttack = (deps: HttpAttackDeps, random: SeededRandom): Attack => {
  const target = pickTarget(deps.targets, random);
  // Bodies and models are mixed: a right body for another model is wrong in its own way.
  const model = random.pick(random.next() < 0.4 ? deps.models : (target.params['model'] ?? deps.models));
  const shown = (name: string): string =>
    encodeURIComponent(name === 'model' ? model : random.pick(target.params[name] ?? ['x']));
  let isAsDocumented = true;
  let path = fill(target.template, shown);
  if (target.isAdmin) path = away(path, deps.models);
  let method = target.method;
  const headers: [string, string][] = [['host', 'localhost']];

  if (random.next() < 0.12) {
    isAsDocumented = false;
    path = fill(target.template, (name) => (random.next() < 0.7 ? random.pick(SEGMENTS) : shown(name)));
    path = random.pick([
      path,
      path,
      path,
      `/${path}`,
      `${path}/`,
      path.toUpperCase(),
      `/.${path}`,
      `${path}//`,
    ]);
    if (target.isAdmin) path = away(path, deps.models);
  }
  if (random.next() < 0.15) path += hostileQuery(target, random);
  if (random.next() < 0.05) {
    isAsDocumented = false;
    method = random.pick(METHODS);
    if (method === 'DELETE') path = away(path, deps.models);
  }
  for (let left = random.pick([0, 0, 0, 1, 1, 2, 3]); left > 0; left--) {
    const [name, values] = random.pick(HEADERS);
    headers.push([name, random.pick(values)]);
  }

  let body: Buffer = Buffer.alloc(0);
  if (target.bodies.length > 0 || random.next() < 0.05) {
    const isBinary = target.mediaTypes.includes('application/octet-stream') && random.next() < 0.5;
    if (isBinary) {
      const binary = binaryBody(model, random);
      body = binary.body;
      headers.push(...binary.headers);
    } else body = Buffer.from(jsonBody(target, random));
    if (target.isAdmin) body = Buffer.from(away(body.toString(), deps.models));
    if (random.next() < 0.2) body = trickedBody(body, random);
    if (random.next() < 0.08) {
      const { coding, body: packed } = coded(body, random, deps.bodyLimitBytes);
      headers.push(['content-encoding', coding]);
      body = packed;
    }
    if (random.next() < 0.1) headers.push(['content-type', random.pick(MEDIA_TYPES)]);
    else if (random.next() < 0.98 && !isBinary) headers.push(['content-type', 'application/json']);
    if (random.next() < 0.01) body = Buffer.alloc(deps.bodyLimitBytes + random.between(-1, 1), '[');
    headers.push(['content-length', String(body.length)]);
  }
  return {
    kind: `${target.method} ${target.template}`,
    bytes: Buffer.concat([head(method, path, headers), body]),
    method,
    ...(isAsDocumented ? { statuses: target.statuses } : {}),
  };
};

const jsonBody = ({ bodies }: Target, random: SeededRandom): string => {
  const valid: Json = bodies.length === 0 ? {} : random.pick(bodies);
  return printed(random.next() < 0.9 ? mutated(valid, random) : valid);
};

/** Those with bodies have most to get wrong; admin calls cost a load each. */
const pickTarget = (targets: readonly Target[], random: SeededRandom): Target => {
  for (;;) {
    const target = random.pick(targets);
    const chance = target.isAdmin ? 0.15 : target.bodies.length > 0 ? 1 : 0.25;
    if (random.next() < chance) return target;
  }
};

const away = (text: string, keep: readonly string[]): string =>
  keep.reduce((left, name) => left.replaceAll(new RegExp(`\\b${name}\\b`, 'gi'), 'guest'), text);
