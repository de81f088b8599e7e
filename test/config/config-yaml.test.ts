import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { keysOf, shapeAt, shapeOf } from '../../src/config/expected.js';
import { valueAt, type KeyPath } from '../../src/config/key-path.js';
import { loadConfig } from '../../src/config/load.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { configSchema } from '../../src/config/schema.js';
import { readYaml } from '../../src/config/yaml-source.js';

const file = fileURLToPath(new URL('../../../config.yaml', import.meta.url));
const text = readFileSync(file, 'utf8');
const shipped = readYaml(text, 'config.yaml');

const shape = shapeOf(configSchema);
/** Shown in comments, for its presence switches it on. */
const COMMENTED = 'access';

const leaves: KeyPath[] = keysOf(shape)
  .filter((section) => section !== COMMENTED)
  .flatMap((section) => keysOf(shapeAt(shape, [section])).map((key) => [section, key]));

describe('config.yaml', () => {
  it('is valid', () => {
    expect(loadConfig({ file, env: {} }).config.models.default).toBe('spam');
  });

  it.each(leaves.map((keys) => [keys.join('.'), keys] as const))('has %s with its default', (name, keys) => {
    const value = valueAt(shipped.raw, keys);
    expect(value).toBeDefined();
    if (name !== 'models.default' && name !== 'grpc.enabled') {
      const of = (raw: unknown) => valueAt(resolveConfig(raw, '/base'), keys);
      expect(of(shipped.raw)).toEqual(of({}));
    }
  });

  it.each(leaves.map((keys) => [keys.join('.'), keys] as const))('says what %s is', (_name, keys) => {
    const line = text.split('\n')[(shipped.lineOf(keys) ?? 0) - 1];
    expect(line).toMatch(/ # \S/);
  });

  it('shows every key of the access section, with its default where it has one', () => {
    const commentedIn = text.replace(/^# (?=access:|  )/gm, '');
    const { access } = resolveConfig(readYaml(commentedIn, 'config.yaml').raw, '/base');
    const of = (keys: KeyPath): string[] => keysOf(shapeAt(shape, [COMMENTED, ...keys]));
    expect(Object.keys(access ?? {}).toSorted()).toEqual(of([]).toSorted());
    const { jwksUrl, ...jwt } = access!.jwt!;
    expect(jwksUrl).toMatch(/^https:/);
    const others = ['secretFile', 'secretEnv', 'publicKeyFile', 'jwksFile', 'jwksUrl'];
    expect([...Object.keys(jwt), ...others].toSorted()).toEqual(of(['jwt']).toSorted());
    for (const name of others) expect(commentedIn).toContain(name);
    const { clockSkewSeconds, nameClaim, rolesClaim, ...required } = jwt;
    const bare = resolveConfig({ access: { jwt: { ...required, jwksUrl } } }, '/base').access;
    expect(bare).toMatchObject({ public: access?.public, jwt: { clockSkewSeconds, nameClaim, rolesClaim } });
  });

  it('shows a model override that is valid', () => {
    const commentedIn = text.replace(
      /^ {2}# (spam:)\n {2}# ( {2}batching:.*)\n {2}# ( {2}versions:.*)$/m,
      '  $1\n  $2\n  $3',
    );
    expect(commentedIn).not.toBe(text);
    const { overrides } = resolveConfig(readYaml(commentedIn, 'config.yaml').raw, '/base').models;
    expect(overrides.get('spam')).toEqual({
      batching: { maxBatch: 32, maxWaitMs: 2 },
      versions: { serve: 'latest', default: 2, split: { 3: 0.05 }, keepPrevious: true },
    });
  });
});
