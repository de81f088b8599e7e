import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/config-error.js';
import { formatPath, parsePath, valueAt, withValueAt } from '../../src/config/key-path.js';
import { resolveConfig } from '../../src/config/resolve.js';

const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'server', 'models', 'batching', 'port', 'a.b', 'x=y'),
  fc.string({ minLength: 1 }).filter((text) => !text.includes('"')),
);

describe('configuration', () => {
  it('is resolved or refused with a ConfigError, whatever comes', () => {
    const section = fc.dictionary(key, fc.anything(), { noNullPrototype: false });
    const input = fc.oneof(fc.anything(), fc.dictionary(key, fc.oneof(section, fc.anything())));
    fc.assert(
      fc.property(input, (raw) => {
        try {
          return resolveConfig(raw, '/base').baseDir === '/base';
        } catch (error) {
          return (
            error instanceof ConfigError && error.problems.length > 0 && !error.message.includes('undefined:')
          );
        }
      }),
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('key paths read back as they were written', () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1 }), (keys) => {
        expect(parsePath(formatPath(keys))).toEqual(keys);
      }),
    );
  });

  it('a value that was set is found there, and the original is unchanged', () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), fc.anything(), (keys, value) => {
        const before = { server: { port: 1 } };
        const after = withValueAt(before, keys, value);
        expect(before).toEqual({ server: { port: 1 } });
        if (keys[0] !== 'server') expect(valueAt(after, keys)).toBe(value);
      }),
    );
  });
});
