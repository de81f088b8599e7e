import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createClientAddress, parseBlock } from '../../src/client-address.js';

describe('nobody is trusted', () => {
  const addressOf = createClientAddress(false);

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::1', '0:0:0:0::/64'],
    ['[::1]', '0:0:0:0::/64'],
    ['2001:DB8:0:1::7', '2001:db8:0:1::/64'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('%s is %s, whatever the header says', (peer, expected) => {
    expect(addressOf(peer, undefined)).toBe(expected);
    expect(addressOf(peer, '203.0.113.7')).toBe(expected);
  });
});

describe('proxies by number', () => {
  it.each([
    [1, '203.0.113.7', '203.0.113.7'],
    [1, 'made-up, 1.1.1.1, 203.0.113.7', '203.0.113.7'],
    [2, '1.1.1.1, 203.0.113.7, 10.0.0.9', '203.0.113.7'],
    [2, '203.0.113.7', '203.0.113.7'],
    [1, undefined, '10.0.0.2'],
    [1, '', '10.0.0.2'],
    [1, 'unknown', '10.0.0.2'],
    [2, 'unknown, 10.0.0.9', '10.0.0.9'],
    [1, '203.0.113.7:50123', '203.0.113.7'],
    [1, '[2001:db8::1]:443', '2001:db8:0:0::/64'],
  ])('%i before us, "%s": %s', (trust, header, expected) => {
    expect(createClientAddress(trust)('10.0.0.2', header)).toBe(expected);
  });
});

describe('proxies by address', () => {
  const addressOf = createClientAddress(['10.0.0.0/8', '127.0.0.1', '2001:db8::/32']);

  it.each([
    ['10.0.0.2', '1.1.1.1, 203.0.113.7, 10.1.1.1', '203.0.113.7'],
    ['::ffff:10.0.0.2', '203.0.113.7', '203.0.113.7'],
    ['2001:db8::9', '203.0.113.7', '203.0.113.7'],
    // The peer itself is a stranger: the header is his own invention.
    ['198.51.100.1', '10.0.0.2', '198.51.100.1'],
    ['10.0.0.2', '10.0.0.3, 10.0.0.4', '10.0.0.3'],
    ['127.0.0.2', '203.0.113.7', '127.0.0.2'],
  ])('%s with "%s" is %s', (peer, header, expected) => {
    expect(addressOf(peer, header)).toBe(expected);
  });

  it('whatever a stranger writes, he is who he is', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 40 }), (made) => {
        const header = [...made.map((text) => text.replaceAll(',', '')), '203.0.113.7', '10.0.0.9'].join(',');
        expect(addressOf('10.0.0.2', header)).toBe('203.0.113.7');
        expect(addressOf('198.51.100.1', header)).toBe('198.51.100.1');
      }),
    );
  });
});

describe('parseBlock', () => {
  it.each(['10.0.0.0/8', '127.0.0.1', '::/0', '2001:db8::1/128'])('takes %s', (text) => {
    expect(parseBlock(text)).toBeDefined();
  });
  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    'proxy.example.com',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    '1/-1',
    '',
  ])('refuses "%s"', (text) => {
    expect(parseBlock(text)).toBeUndefined();
  });
});
