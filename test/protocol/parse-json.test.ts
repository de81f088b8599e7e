import { describe, expect, it } from '@jest/globals';
import { parseJson } from '../../src/protocol/json/parse-json.js';
import { bytesOf, refusal } from './support.js';

const parsed = (text: string): unknown => parseJson(bytesOf(text));

describe('parseJson', () => {
  it.each([
    ['{"a":[1,2.5,"x",null,true]}', { a: [1, 2.5, 'x', null, true] }],
    ['\uFEFF {"a":1}', { a: 1 }],
    ['[0.12345678901234567, 1.2345678901234567e-300]', [0.12345678901234567, 1.2345678901234567e-300]],
    ['9007199254740991', 9007199254740991],
    ['[9007199254740993, -9007199254740993]', [9007199254740993n, -9007199254740993n]],
    [
      '[18446744073709551615, -9223372036854775808, 0.5]',
      [18446744073709551615n, -9223372036854775808n, 0.5],
    ],
    // No integer type holds more than 20 digits: left as a double.
    ['[9007199254740993, 123456789012345678901234]', [9007199254740993n, 1.2345678901234568e23]],
    ['[9007199254740993, 9007199254740993.0, 9e20]', [9007199254740993n, 9007199254740992, 9e20]],
    ['{"card":"9999999999999999"}', { card: '9999999999999999' }],
  ])('reads %s', (text, value) => {
    expect(parsed(text)).toEqual(value);
  });

  it('reads a view into a larger buffer', () => {
    const all = bytesOf('xx{"a":1}xx');
    expect(parseJson(all.subarray(2, 9))).toEqual({ a: 1 });
  });

  // With and without an integer that calls for the exact parser.
  it.each(['1', '9007199254740993'])('treats odd keys alike in both parsers (%s)', (number) => {
    const value = parsed(`{"n":${number},"k":1,"k":[2],"k":3,"__proto__":{"polluted":1},"toString":4}`);
    const keys = Object.keys(value as object);
    expect(keys).toEqual(['n', 'k', '__proto__', 'toString']);
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(value)).not.toHaveProperty('polluted');
    expect((value as { k: unknown }).k).toBe(3);
    expect({}).not.toHaveProperty('polluted');
  });

  it.each([
    ['', 'no body; expected a JSON object'],
    [' \n\t', 'no body; expected a JSON object'],
    ['{"a":}', 'line 1, column 6'],
    ['{"a":1,}', 'line 1, column 8'],
    ['{\n  "a": [1, 2\n}', 'line 3, column 1'],
    ['{"a":1', 'reached end of input'],
    ['[9007199254740993,]', 'line 1, column 19'],
    [
      '{"a":NaN}',
      "line 1, column 6: Object value expected after ':' (JSON has no NaN and no Infinity), near: ",
    ],
    ['[-Infinity]', '(JSON has no NaN and no Infinity)'],
    ["{'a':1}", 'line 1, column 2'],
    ['{"a":"\u0001"}', 'line 1, column 7'],
    ['1 2', 'line 1, column 3'],
    ['[01]', 'line 1, column 3'],
    ['nul', 'line 1, column 1'],
    [`[1.${'x'.repeat(5000)}`, 'line 1, column 4'],
  ])('refuses %j', (text, part) => {
    const { code, message } = refusal(() => parsed(text));
    expect(code).toBe('INVALID_REQUEST');
    expect(message).toContain(part);
    expect(message.length).toBeLessThan(300);
    expect(message).not.toMatch(/\p{C}|SyntaxError/u);
  });

  it('refuses bytes that are not UTF-8', () => {
    const { code, message } = refusal(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)));
    expect([code, message]).toEqual(['INVALID_REQUEST', 'body: expected JSON in UTF-8, got other bytes']);
  });

  const nested = (levels: number, inner: string): string => '['.repeat(levels) + inner + ']'.repeat(levels);

  it.each([
    ['64 lists', nested(64, '1'), true],
    ['64 lists, and one more opener', nested(63, '[1],[1]'), true],
    ['65 lists', nested(65, '1'), false],
    ['64 lists, exact parser', nested(64, '9007199254740993'), true],
    ['65 lists, exact parser', nested(65, '9007199254740993'), false],
    ['objects and lists', '{"a":['.repeat(32) + ']}'.repeat(32), true],
    ['objects and lists, too deep', '{"a":['.repeat(33) + ']}'.repeat(33), false],
    ['brackets in strings', JSON.stringify({ texts: ['[{'.repeat(100), '\\"[', '\\\\'] }), true],
    ['brackets behind an escaped quote', JSON.stringify(['"' + '['.repeat(100)]), true],
    ['a list behind an escaped backslash', `["\\\\",${nested(64, '1')}]`, false],
    ['many flat lists', `[${'[1],'.repeat(200)}[1]]`, true],
    ['2 million brackets, unclosed', '['.repeat(2_000_000), false],
    ['2 million brackets and an integer', nested(2_000_000, '9007199254740993'), false],
  ])('limits nesting: %s', (_, text, isGood) => {
    if (isGood) expect(() => parsed(text)).not.toThrow();
    else
      expect(refusal(() => parsed(text))).toEqual({
        code: 'INVALID_REQUEST',
        message: 'body: nested deeper than 64 levels',
      });
  });

  it('explains broken JSON with closed nesting but unterminated strings', () => {
    expect(refusal(() => parsed(`${'[],'.repeat(100)}"a`)).code).toBe('INVALID_REQUEST');
    expect(refusal(() => parsed(`[${'[],'.repeat(100)}"a\\"`)).message).toContain('broken JSON');
  });
});
