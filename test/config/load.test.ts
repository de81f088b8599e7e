import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig, type LoadOptions } from '../../src/config/load.js';
import { problemsOf } from './problems-of.js';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'carpool-config-'));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

const write = (name: string, text: string): void => {
  mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
  writeFileSync(path.join(cwd, name), text);
};
const load = (options: Partial<LoadOptions> = {}) => loadConfig({ env: {}, cwd, ...options });
const messages = (options: Partial<LoadOptions> = {}): string[] =>
  problemsOf(() => load(options)).map(({ message }) => message);

describe('which file', () => {
  it('--config, else CARPOOL_CONFIG, else ./config.yaml, else none', () => {
    const env = { CARPOOL_CONFIG: 'env.yaml' };
    const portOf = (options: Partial<LoadOptions>) => {
      const { config, file } = load(options);
      return [config.server.port, file];
    };
    expect(portOf({})).toEqual([8080, undefined]);
    write('config.yaml', 'server: {port: 1}');
    write('env.yaml', 'server: {port: 2}');
    write('option.yaml', 'server: {port: 3}');
    expect(portOf({})).toEqual([1, 'config.yaml']);
    expect(portOf({ env: { CARPOOL_CONFIG: '' } })).toEqual([1, 'config.yaml']);
    expect(portOf({ env })).toEqual([2, 'env.yaml']);
    expect(portOf({ env, file: 'option.yaml' })).toEqual([3, 'option.yaml']);
  });

  it('paths are relative to the file, or to cwd when there is none', () => {
    write('deep/er/c.yaml', 'models: {root: ../m}');
    const { config } = load({ file: 'deep/er/c.yaml' });
    expect([config.baseDir, config.models.root]).toEqual([
      path.join(cwd, 'deep/er'),
      path.join(cwd, 'deep/m'),
    ]);
    expect(load().config.models.root).toBe(path.join(cwd, 'models'));
  });

  it('a named file must be there, and the message says who named it', () => {
    expect(messages({ file: 'no.yaml' })[0]).toMatch(
      /^--config no\.yaml: expected a readable file, got ENOENT/,
    );
    const env = { CARPOOL_CONFIG: 'no.yaml' };
    expect(messages({ env })[0]).toMatch(/^CARPOOL_CONFIG=no\.yaml: expected a readable file/);
    expect(messages({ file: '.' })[0]).toMatch(/^--config \.: expected a readable file, got EISDIR/);
  });
});

describe('what is in the file', () => {
  it.each([
    ['nothing', ''],
    ['comments', '# nothing\n'],
    ['empty sections', 'server:\nlog:\n  # level: debug\n'],
    ['a byte order mark', '\uFEFFserver: {}\n'],
  ])('%s is all defaults', (_what, text) => {
    write('config.yaml', text);
    const { config } = load();
    expect([config.server.port, config.log.level]).toEqual([8080, 'info']);
  });

  it.each([
    ['a list', '- a\n', /^config\.yaml:1: expected an object with keys of server, .*got \[ 'a' \]$/],
    ['a word', '\nhello\n', /^config\.yaml:2: expected an object .*, got "hello"$/],
    ['a key twice', 'log: {}\nserver:\n  port: 1\n  port: 2\n', /^config\.yaml:4: duplicate key `port`/],
    ['a tab', 'server:\n\tport: 1\n', /^config\.yaml:2: .*got a tab$/],
    ['a bare star', 'models:\n  load: *\n', /^config\.yaml:2: an unquoted `\*` .* quotes: '\*'$/],
    ['an open list', 'models:\n  load: [a\n', /^config\.yaml:\d: Flow sequence/],
    ['two documents', 'log: {}\n---\nlog: {}\n', /^config\.yaml:2: expected one YAML document/],
    ['an unknown tag', 'server:\n  port: !port 1\n', /^config\.yaml:2: Unresolved tag: !port$/],
    ['an alias to nothing', 'server: *x\n', /^config\.yaml:1: Unresolved alias/],
    ['a list as a key', '? [a]\n: 1\n', /^config\.yaml:1: /],
  ])('%s is refused with its line', (_what, text, message) => {
    write('config.yaml', text);
    expect(messages()[0]).toMatch(message);
  });

  it('an alias bomb is refused', () => {
    const rows = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, last] of [
      ['b', 'a'],
      ['c', 'b'],
      ['d', 'c'],
    ] as const)
      rows.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${last}`).join(', ')}]`);
    write('config.yaml', rows.join('\n'));
    expect(messages()[0]).toMatch(/Excessive alias count/);
  });

  it('problems carry the line of their key, through lists and aliases', () => {
    write(
      'config.yaml',
      [
        'batching: &b',
        '  maxBtach: 8',
        '  maxWaitMs: soon',
        'server:',
        '  allowedOrigins:',
        '    - https://a.b',
        '    - nowhere',
        'models:',
        '  __proto__: {x: 1}',
        '  spam: {batching: *b}',
      ].join('\n'),
    );
    expect(problemsOf(load).map(({ where, path: key }) => [where, key])).toEqual([
      ['config.yaml:7', 'server.allowedOrigins.1'],
      ['config.yaml:3', 'batching.maxWaitMs'],
      ['config.yaml:2', 'batching.maxBtach'],
      ['config.yaml:9', 'models.__proto__.x'],
      ['config.yaml:3', 'models.spam.batching.maxWaitMs'],
      ['config.yaml:2', 'models.spam.batching.maxBtach'],
    ]);
  });

  it('the file is called what the caller called it', () => {
    write('sub/my.yaml', '\nserver: {port: x}');
    expect(messages({ file: 'sub/my.yaml' })).toEqual([
      'sub/my.yaml:2: server.port: expected an integer 0..65535, got "x"',
    ]);
  });
});

describe('environment and --set', () => {
  it('the environment wins over the file, --set over the environment, the last --set over the first', () => {
    write(
      'config.yaml',
      'server: {host: file, port: 1}\nlog: {level: error}\nbatching: {maxBatch: 1, maxQueue: 5}\n',
    );
    const env = { CARPOOL_HOST: 'env', CARPOOL_PORT: '2', CARPOOL_LOG_LEVEL: 'debug' };
    const set = ['server.port=3', 'batching.maxBatch=4', 'server.port=0'];
    const { server, log, batching } = load({ env, set }).config;
    expect([server.host, server.port, log.level]).toEqual(['env', 0, 'debug']);
    expect([batching.maxBatch, batching.maxQueue]).toEqual([4, 5]);
  });

  it('an empty variable counts as absent', () => {
    expect(load({ env: { CARPOOL_PORT: '', CARPOOL_HOST: '' } }).config.server.port).toBe(8080);
  });

  it.each([
    ['lanes.count=3', 'lanes', { count: 3 }],
    ['lanes.count=auto', 'lanes', { count: 'auto' }],
    ['lanes.executionProviders=[cuda, cpu]', 'lanes', { executionProviders: ['cuda', 'cpu'] }],
    ['lanes={count: 2, isolation: process}', 'lanes', { count: 2, isolation: 'process' }],
    ['server.host="8080"', 'server', { host: '8080' }],
    ['server.host=a=b', 'server', { host: 'a=b' }],
    ['server.host=::1', 'server', { host: '::1' }],
    ['server.allowedOrigins=["https://a.b:8443"]', 'server', { allowedOrigins: ['https://a.b:8443'] }],
    ['models.load=*', 'models', { load: '*' }],
    ['models.load=[a]', 'models', { load: ['a'] }],
    ['batching.maxWaitMs=1.5', 'batching', { maxWaitMs: 1.5 }],
  ] as const)('--set %s', (set, section, value) => {
    expect(load({ set: [set] }).config[section]).toMatchObject(value);
  });

  it('reaches models with any name', () => {
    const set = ['models."bert-v1.5=x".batching.maxBatch=3', 'models.__proto__.batching.maxBatch=4'];
    const { overrides } = load({ set }).config.models;
    expect(overrides.get('bert-v1.5=x')).toEqual({ batching: { maxBatch: 3 } });
    expect(overrides.get('__proto__')).toEqual({ batching: { maxBatch: 4 } });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('bad values name the variable or the option', () => {
    write('config.yaml', 'server: {port: 1}\nlog: {level: loud}\n');
    const env = { CARPOOL_PORT: 'abc', CARPOOL_LOG_LEVEL: 'INFO' };
    const set = ['batching.maxBtach=8', 'lanes={count: 0}', 'batchng.maxBatch=1'];
    expect(messages({ env, set })).toEqual([
      'CARPOOL_PORT=abc: expected an integer 0..65535, got "abc"',
      'CARPOOL_LOG_LEVEL=INFO: expected one of "fatal", "error", "warn", "info", "debug", "trace", "silent", ' +
        'got "INFO"; did you mean `info`?',
      '--set lanes={count: 0}: lanes.count: expected "auto" or an integer 1..256, got 0',
      '--set batching.maxBtach=8: unknown key (value 8); did you mean `batching.maxBatch`?',
      '--set batchng.maxBatch=1: unknown key (value { maxBatch: 1 }); did you mean `batching`?',
    ]);
  });

  it('of several for one key, the last is at fault', () => {
    expect(messages({ env: { CARPOOL_PORT: 'abc' }, set: ['server.port=1', 'server.port=x'] })).toEqual([
      '--set server.port=x: expected an integer 0..65535, got "x"',
    ]);
  });

  it.each(['1e3', '-1', '0x50', ' 80', '80 ', '99999999999999999999'])(
    'CARPOOL_PORT=%j is refused',
    (port) => {
      expect(messages({ env: { CARPOOL_PORT: port } })[0]).toMatch(/expected an integer 0\.\.65535/);
    },
  );

  it.each(['batching.maxBatch', '=3', 'a..b=1', '.a=1', 'a.=1', '"a=1', ''])(
    '--set %j is no setting',
    (set) => {
      expect(messages({ set: [set] })).toEqual([
        `--set ${set}: expected a key path and a value, such as --set batching.maxBatch=8`,
      ]);
    },
  );

  it.each(['lanes={count: 1', 'models.load=[*nope]', 'server.host="x'])('--set %s is no YAML', (set) => {
    expect(messages({ set: [set] })[0]).toMatch(/the value is no YAML: /);
  });

  it('does not paper over a file that is wrong', () => {
    write('config.yaml', 'server: 5\n');
    expect(messages({ set: ['server.port=1'] })[0]).toMatch(/^config\.yaml:1: server: expected .*, got 5$/);
  });
});
