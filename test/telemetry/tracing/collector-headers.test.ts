import { describe, expect, it } from '@jest/globals';
import { collectorHeaders } from '../../../src/telemetry/tracing/collector-headers.js';

describe('collectorHeaders', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    ['authorization=Bearer%20abc', { authorization: 'Bearer abc' }],
    [' a=1 , b=x=y ,', { a: '1', b: 'x=y' }],
  ])('reads %j', (text, headers) => {
    expect(collectorHeaders(text)).toEqual(headers);
  });

  it.each(['secret', '=secret', 'a b=secret', 'a=%secret'])('refuses %j without showing it', (text) => {
    let message = '';
    try {
      collectorHeaders(`ok=1,${text}`);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/expected name=value|percent-encoded/);
    expect(message).not.toContain('secret');
  });
});
