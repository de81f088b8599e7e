import { beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK } from 'jose';
import { KeyObject, sign as signBytes } from 'node:crypto';
import type { Gate } from '../../src/access/gate.js';
import { gateWith, SECRET } from './jwt-gate.js';
import {
  AUDIENCE,
  forge,
  forgeWith,
  GOOD,
  ISSUER,
  makePair,
  NOW_S,
  sign,
  type Claims,
  type KeyPair,
} from './jwt-tokens.js';
import { admit } from './support.js';

let rsa: KeyPair;
let ec: KeyPair;
let other: KeyPair;

beforeAll(async () => {
  [rsa, ec, other] = await Promise.all([makePair('RS256'), makePair('ES256'), makePair('RS256')]);
});

const byKey = (): Promise<Gate> =>
  gateWith({ algorithms: ['RS256'], publicKeyFile: 'k.pem' }, { 'k.pem': rsa.pem });
const bySecret = (): Promise<Gate> => gateWith({ algorithms: ['HS256'], secretEnv: 'SECRET' });
const bySet = async (): Promise<Gate> => {
  const keys = [
    { ...(await exportJWK(rsa.publicKey)), kid: 'r1' },
    { ...(await exportJWK(ec.publicKey)), kid: 'e1' },
    // One that somebody published by mistake: it must verify nothing.
    { kty: 'oct', kid: 'h1', k: Buffer.from(SECRET).toString('base64url') },
  ];
  return gateWith(
    { algorithms: ['RS256', 'ES256'], jwksFile: 'set.json' },
    { 'set.json': JSON.stringify({ keys }) },
  );
};

/** `jwt:alice`, or the code of the refusal. */
const outcome = async (gate: Gate, token: string): Promise<string | undefined> => {
  try {
    return (await admit(gate, token, 'read', 'spam')).name;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a good token', () => {
  it('is taken by secret, by public key and by key set', async () => {
    expect(await outcome(await bySecret(), await sign(SECRET, { alg: 'HS256' }))).toBe('jwt:alice');
    const secretFile = await gateWith({ algorithms: ['HS256'], secretFile: 's' }, { s: `${SECRET}\n` });
    expect(await outcome(secretFile, await sign(SECRET, { alg: 'HS256' }))).toBe('jwt:alice');
    expect(await outcome(await byKey(), await sign(rsa.privateKey, { alg: 'RS256' }))).toBe('jwt:alice');
    const es = await gateWith({ algorithms: ['ES256'], publicKeyFile: 'k' }, { k: ec.pem });
    expect(await outcome(es, await sign(ec.privateKey, { alg: 'ES256' }))).toBe('jwt:alice');
    const set = await bySet();
    expect(await outcome(set, await sign(rsa.privateKey, { alg: 'RS256', kid: 'r1' }))).toBe('jwt:alice');
    expect(await outcome(set, await sign(ec.privateKey, { alg: 'ES256', kid: 'e1' }))).toBe('jwt:alice');
  });

  it.each<[string, Claims, string]>([
    ['roles as text', { roles: 'x read y' }, 'jwt:alice'],
    ['one audience of several', { aud: ['else', AUDIENCE] }, 'jwt:alice'],
    ['expired within the skew', { exp: NOW_S - 29 }, 'jwt:alice'],
    ['valid from within the skew', { nbf: NOW_S + 30 }, 'jwt:alice'],
    ['no role', { roles: undefined }, 'FORBIDDEN'],
    ['roles that are none of ours', { roles: ['root', 'constructor', '__proto__'] }, 'FORBIDDEN'],
    ['roles of another type', { roles: { read: true } }, 'FORBIDDEN'],
  ])('with %s', async (_what, claims, expected) => {
    expect(await outcome(await bySecret(), await sign(SECRET, { alg: 'HS256' }, claims))).toBe(expected);
  });

  it('names its caller and its roles where the configuration says', async () => {
    const jwt = {
      algorithms: ['HS256'],
      secretEnv: 'SECRET',
      nameClaim: 'https://x.y/mail',
      rolesClaim: 'realm.roles',
    };
    const claims = { 'https://x.y/mail': 'a@b', roles: undefined, realm: { roles: ['read'] } };
    expect(await outcome(await gateWith(jwt), await sign(SECRET, { alg: 'HS256' }, claims))).toBe('jwt:a@b');
  });
});

describe('a token is refused that', () => {
  it.each<[string, Claims]>([
    ['has expired', { exp: NOW_S - 31 }],
    ['never expires', { exp: undefined }],
    ['is not valid yet', { nbf: NOW_S + 31 }],
    ['has another audience', { aud: 'other' }],
    ['has no audience', { aud: undefined }],
    ['has another issuer', { iss: `${ISSUER}evil` }],
    ['has no issuer', { iss: undefined }],
    ['names nobody', { sub: undefined }],
    ['names nobody in earnest', { sub: '' }],
    ['has a name of another type', { sub: 5 }],
    ['has an endless name', { sub: 'a'.repeat(257) }],
    ['expires at no time', { exp: 'never' }],
  ])('%s', async (_what, claims) => {
    const gate = await bySecret();
    expect(await outcome(gate, forgeWith(SECRET, { alg: 'HS256' }))).toBe('jwt:alice');
    const token = forgeWith(SECRET, { alg: 'HS256' }, { ...GOOD, ...claims });
    expect(await outcome(gate, token)).toBe('UNAUTHENTICATED');
  });

  it('has a name within an inherited member', async () => {
    const gate = await gateWith({
      algorithms: ['HS256'],
      secretEnv: 'SECRET',
      nameClaim: 'constructor.name',
    });
    expect(await outcome(gate, await sign(SECRET, { alg: 'HS256' }))).toBe('UNAUTHENTICATED');
  });

  it('is not signed: alg none in any spelling', async () => {
    for (const gate of [await byKey(), await bySecret(), await bySet()])
      for (const alg of ['none', 'None', 'NONE', 'nOnE', '', undefined, null, 0])
        for (const token of [
          forge({ alg }),
          forge({ alg, kid: 'r1' }),
          forge({ alg }).slice(0, -1),
          forge({ alg }, GOOD, 'AAAA'),
          forgeWith(SECRET, { alg }),
        ])
          expect(await outcome(gate, token)).toBe('UNAUTHENTICATED');
  });

  it('is signed with the public key as a secret (RS256 to HS256)', async () => {
    const jwk = JSON.stringify(await exportJWK(rsa.publicKey));
    for (const gate of [await byKey(), await bySet()])
      for (const secret of [rsa.pem, rsa.pem.trim(), jwk, SECRET])
        for (const kid of [undefined, 'r1', 'h1']) {
          const token = forgeWith(secret, { alg: 'HS256', ...(kid === undefined ? {} : { kid }) });
          expect(await outcome(gate, token)).toBe('UNAUTHENTICATED');
        }
  });

  it('is signed with an algorithm that is not configured', async () => {
    const [rs, es] = [
      await byKey(),
      await gateWith({ algorithms: ['ES256'], jwksFile: 's' }, { s: await setOf() }),
    ];
    expect(await outcome(es, await sign(rsa.privateKey, { alg: 'RS256', kid: 'r1' }))).toBe(
      'UNAUTHENTICATED',
    );
    expect(await outcome(rs, await sign(ec.privateKey, { alg: 'ES256' }))).toBe('UNAUTHENTICATED');
    expect(await outcome(await bySecret(), await sign(rsa.privateKey, { alg: 'RS256' }))).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('is signed by somebody else, or changed', async () => {
    const gate = await byKey();
    expect(await outcome(gate, await sign(other.privateKey, { alg: 'RS256' }))).toBe('UNAUTHENTICATED');
    const [head, , mac] = (await sign(rsa.privateKey, { alg: 'RS256' })).split('.');
    const [, claims] = forge({}, { ...GOOD, roles: ['all'] }).split('.');
    expect(await outcome(gate, [head, claims, mac].join('.'))).toBe('UNAUTHENTICATED');
  });

  it.each([
    '../../etc/passwd',
    '/dev/null',
    'k.pem',
    "' OR 1=1 --",
    'x'.repeat(4000),
    'unknown',
    '',
    '__proto__',
  ])('has the key id %p', async (kid) => {
    const token = await sign(other.privateKey, { alg: 'RS256', kid });
    for (const gate of [await bySet(), await byKey()])
      expect(await outcome(gate, token)).toBe('UNAUTHENTICATED');
    // The file behind such an id may be empty, and so would be the secret; or be known.
    for (const secret of ['', rsa.pem])
      expect(await outcome(await bySecret(), forgeWith(secret, { alg: 'HS256', kid }))).toBe(
        'UNAUTHENTICATED',
      );
  });

  it('brings its own key, or says where one is', async () => {
    const jwk = await exportJWK(other.publicKey);
    const url = 'http://127.0.0.1:9/set.json';
    for (const header of [{ jwk }, { jku: url }, { x5u: url }, { jku: url, kid: 'r1' }, { x5c: ['AAAA'] }]) {
      // Checked by jose: it signs any header that is JSON.
      const token = await sign(other.privateKey, { alg: 'RS256', ...(header as object) });
      for (const gate of [await byKey(), await bySet()])
        expect(await outcome(gate, token)).toBe('UNAUTHENTICATED');
    }
  });

  it('wants an extension that nobody has', async () => {
    const token = forge({ alg: 'RS256', crit: ['x'], x: 1 }).slice(0, -1);
    const key = KeyObject.from(rsa.privateKey);
    const signature = signBytes('sha256', Buffer.from(token), key).toString('base64url');
    expect(await outcome(await byKey(), `${token}.${signature}`)).toBe('UNAUTHENTICATED');
  });

  it.each([
    '',
    '.',
    '..',
    '...',
    'a.b',
    'a.b.c',
    'a.b.c.d',
    'e30.e30.',
    'e30.e30.AA',
    'ä.b.c',
    'null.null.null',
  ])('is %p', async (token) => expect(await outcome(await bySecret(), token)).toBe('UNAUTHENTICATED'));
});

const setOf = async (): Promise<string> =>
  JSON.stringify({
    keys: [
      { ...(await exportJWK(rsa.publicKey)), kid: 'r1' },
      { ...(await exportJWK(ec.publicKey)), kid: 'e1' },
    ],
  });
