import { describe, expect, it } from '@jest/globals';
import { exportJWK, jwtVerify } from 'jose';
import { jwksAt } from '../../src/access/jwks-url.js';
import { keepingLogger } from './support.js';
import { makePair, NOW_S, sign, type KeyPair } from './jwt-tokens.js';

const URL_OF_SET = 'https://id.example/set.json';

/** A provider whose answer the test sets, asked with a clock that it moves. */
class Provider {
  asked = 0;
  nowMs = 0;
  answer: () => Promise<Response> = () => Promise.reject(new Error('down'));
  readonly log = keepingLogger();
  readonly key = jwksAt(URL_OF_SET, {
    now: () => this.nowMs,
    logger: this.log.logger,
    fetch: (url) => {
      expect(url).toBe(URL_OF_SET);
      this.asked++;
      return this.answer();
    },
  });

  async serve(keys: Readonly<Record<string, KeyPair>>): Promise<void> {
    const set = await Promise.all(
      Object.entries(keys).map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid })),
    );
    this.answer = () => Promise.resolve(new Response(JSON.stringify({ keys: set })));
  }

  async takes(pair: KeyPair, kid: string): Promise<boolean> {
    const token = await sign(pair.privateKey, { alg: 'RS256', kid });
    const options = { algorithms: ['RS256'], currentDate: new Date(NOW_S * 1000) };
    return jwtVerify(token, this.key, options).then(
      () => true,
      () => false,
    );
  }
}

describe('the key set of a provider', () => {
  it('is read when it is first needed, kept for ten minutes, and read by one at a time', async () => {
    const [a, provider] = [await makePair('RS256'), new Provider()];
    await provider.serve({ a });
    expect(provider.asked).toBe(0);
    expect(await Promise.all([1, 2, 3].map(() => provider.takes(a, 'a')))).toEqual([true, true, true]);
    provider.nowMs = 599_999;
    expect(await provider.takes(a, 'a')).toBe(true);
    expect(provider.asked).toBe(1);
    provider.nowMs = 600_000;
    expect(await provider.takes(a, 'a')).toBe(true);
    expect(provider.asked).toBe(2);
  });

  it('is read again for a key id that it has not, twice in a minute at most', async () => {
    const [a, b, provider] = [await makePair('RS256'), await makePair('RS256'), new Provider()];
    await provider.serve({ a });
    expect(await provider.takes(a, 'a')).toBe(true);
    await provider.serve({ b });
    for (let i = 0; i < 20; i++) expect(await provider.takes(b, 'b')).toBe(false);
    expect(provider.asked).toBe(1);
    provider.nowMs = 30_000;
    expect(await provider.takes(b, 'b')).toBe(true);
    expect(await provider.takes(a, 'a')).toBe(false);
    expect(provider.asked).toBe(2);
  });

  it('is waited for by nobody whose key is known, unless nobody has asked for long', async () => {
    const [a, b, provider] = [await makePair('RS256'), await makePair('RS256'), new Provider()];
    await provider.serve({ a });
    expect(await provider.takes(a, 'a')).toBe(true);
    let answer: (response: Response) => void = () => undefined;
    provider.answer = () => new Promise((resolve) => (answer = resolve));
    provider.nowMs = 600_000;
    expect(await provider.takes(a, 'a')).toBe(true);
    expect(provider.asked).toBe(2);
    answer(new Response('', { status: 500 }));
    await provider.serve({ b });
    provider.nowMs = 600_000 + 1_800_000;
    expect(await provider.takes(a, 'a')).toBe(false);
    expect(await provider.takes(b, 'b')).toBe(true);
    expect(provider.asked).toBe(3);
  });

  it('serves on while the provider is down, which is asked twice in a minute at most', async () => {
    const [a, provider] = [await makePair('RS256'), new Provider()];
    for (let i = 0; i < 20; i++) expect(await provider.takes(a, 'a')).toBe(false);
    expect(provider.asked).toBe(1);
    await provider.serve({ a });
    provider.nowMs = 30_000;
    expect(await provider.takes(a, 'a')).toBe(true);
    provider.answer = () => Promise.resolve(new Response('busy', { status: 500 }));
    for (provider.nowMs = 630_000; provider.nowMs < 690_000; provider.nowMs += 1000)
      expect(await provider.takes(a, 'a')).toBe(true);
    expect(provider.asked).toBe(4);
    expect(provider.log.lines().map(({ reason }) => reason)).toEqual([
      'down',
      'expected status 200, got 500',
      'expected status 200, got 500',
    ]);
  });
});
