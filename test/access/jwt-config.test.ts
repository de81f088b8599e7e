import { describe, expect, it } from '@jest/globals';
import { gateWith, SECRET } from './jwt-gate.js';
import { makePair } from './jwt-tokens.js';

describe('the configuration of tokens', () => {
  it.each<[string, object, RegExp]>([
    ['no key', { algorithms: ['RS256'] }, /access\.jwt: expected one of secretFile, .* got none of them/],
    [
      'two keys',
      { algorithms: ['RS256'], jwksFile: 'a', publicKeyFile: 'b' },
      /got publicKeyFile and jwksFile/,
    ],
    [
      'HS256 with a public key',
      { algorithms: ['HS256'], publicKeyFile: 'a' },
      /algorithms: expected \[RS256\] or/,
    ],
    ['both with a public key', { algorithms: ['RS256', 'ES256'], publicKeyFile: 'a' }, /algorithms/],
    ['HS256 with a key set', { algorithms: ['RS256', 'HS256'], jwksFile: 'a' }, /algorithms/],
    ['RS256 with a secret', { algorithms: ['RS256'], secretEnv: 'SECRET' }, /algorithms: expected \[HS256\]/],
    ['none', { algorithms: ['none'], secretEnv: 'SECRET' }, /algorithms/],
    ['a secret in the text', { algorithms: ['HS256'], secret: SECRET }, /access\.jwt\.secret: unknown key/],
    ['a short secret', { algorithms: ['HS256'], secretEnv: 'SHORT' }, /at least 32 bytes, got 5/],
    ['a missing variable', { algorithms: ['HS256'], secretEnv: 'NONE' }, /at least 32 bytes, got none/],
    [
      'a missing file',
      { algorithms: ['RS256'], publicKeyFile: 'none.pem' },
      /access\.jwt \(none\.pem\): .*ENOENT/,
    ],
    [
      'a plain URL',
      { algorithms: ['RS256'], jwksUrl: 'http://id.example/set' },
      /jwksUrl: expected an https URL/,
    ],
    [
      'a URL with a password, which is not shown',
      { algorithms: ['RS256'], jwksUrl: 'https://user:letmein@id.example/set' },
      /^(?!.*letmein).*jwksUrl: expected an https URL without credentials/s,
    ],
  ])('is refused with %s', async (_what, jwt, message) => {
    await expect(gateWith(jwt)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('is refused with a key of another kind, or a set without one', async () => {
    const es = { algorithms: ['ES256'], publicKeyFile: 'k' };
    await expect(gateWith(es, { k: (await makePair('RS256')).pem })).rejects.toThrow(
      'expected a key for ES256 (ec), got rsa',
    );
    const set = { algorithms: ['RS256'], jwksFile: 's' };
    for (const [text, message] of [
      ['secret text', 'got no JSON'],
      ['[]', 'expected a JSON Web Key Set'],
      ['{"keys": []}', 'at least one RSA or EC key'],
      ['{"keys": [{"kty": "oct", "k": "AAAA"}]}', 'at least one RSA or EC key'],
    ] as const)
      await expect(gateWith(set, { s: text })).rejects.toThrow(message);
  });
});
