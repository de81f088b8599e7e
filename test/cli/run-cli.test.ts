import { describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/cli/run-cli.js';
import { CarpoolError } from '../../src/errors.js';
import { FakeGateway, fakeHost, fraud, reportOf, settle, spam } from './fakes.js';

describe('carpool', () => {
  it.each([
    [['--version'], 0, '1.2.3\n'],
    [['--help'], 0, /serve .*\n.*check /],
    [['serve', '--help'], 0, /--set <key=value\.\.\.>/],
  ])('%j prints to stdout and ends well', async (args, exitCode, text) => {
    const host = fakeHost(new FakeGateway());
    expect((await runCli(args, host)).exitCode).toBe(exitCode);
    expect(host.out.join('')).toMatch(text);
  });

  it.each([
    [[], /Usage: carpool/],
    [['sevre'], /unknown command 'sevre'.*\n.*serve/],
    [['serve', '--nope'], /unknown option '--nope'/],
    [['serve', '--config'], /argument missing/],
    [['serve', 'extra'], /too many arguments/],
    [['simulate', '--rate', 'x'], /^--rate: expected a positive number; found "x"\n$/],
    [['simulate', '--rule', 'best'], /^--rule: expected .*; found "best"\n$/],
    [
      ['simulate', '--machine', '0,1,1,1'],
      /^--machine: expected a positive number of cores; found "0,1,1,1"\n$/,
    ],
  ])('%j is wrong usage: 2, on stderr', async (args, text) => {
    const host = fakeHost(new FakeGateway());
    expect((await runCli(args, host)).exitCode).toBe(2);
    expect(host.err.join('')).toMatch(text);
    expect(host.out).toEqual([]);
  });

  it.each(['serve', 'check'])('%s refuses a wrong config with 1 and without a stack', async (command) => {
    const host = fakeHost(new FakeGateway(), { env: { CARPOOL_PORT: 'abc' } });
    const { exitCode } = await runCli([command, '--set', 'x.y=1', '--set', 'q=1'], host);
    expect(exitCode).toBe(1);
    expect(host.err.join('')).toMatch(
      /^invalid configuration:\n {2}CARPOOL_PORT=abc: .*\n {2}--set x\.y=1: .*\n {2}--set q=1: .*\n$/,
    );
  });

  it('reads --set as often as it is given', async () => {
    const gateway = new FakeGateway();
    gateway.closesAtOnce = true;
    const set = ['--set', 'batching.maxBatch=8', '--set', 'batching.maxQueue=9', 'server.port=0'];
    await runCli(['check', ...set], fakeHost(gateway));
    expect(gateway.config?.batching).toMatchObject({ maxBatch: 8, maxQueue: 9 });
    expect(gateway.config?.server.port).toBe(0);
  });
});

describe('carpool check', () => {
  const check = async (gateway: FakeGateway) => {
    const host = fakeHost(gateway);
    gateway.closesAtOnce = true;
    return { ending: await runCli(['check'], host), host };
  };

  it('prints a line per model and closes the gateway without having listened', async () => {
    const gateway = new FakeGateway();
    gateway.report = reportOf([spam, fraud]);
    const { ending, host } = await check(gateway);
    expect(ending.exitCode).toBe(0);
    expect(host.out.join('')).toMatch(/^OK {6}config {2}.*\nOK {6}spam .*\nOK {6}fraud_detector .*\n$/);
    expect(gateway.calls).toEqual(['close']);
    expect(gateway.config?.log.level).toBe('silent');
  });

  it('ends with 1 and the reason when a model fails', async () => {
    const gateway = new FakeGateway();
    gateway.report = reportOf(
      [spam],
      [{ name: 'bad', code: 'MODEL_LOAD_FAILED', message: 'bad/model.onnx: cut' }],
    );
    const { ending, host } = await check(gateway);
    expect(ending.exitCode).toBe(1);
    expect(host.out.join('')).toMatch(/\nFAILED {2}bad {2}MODEL_LOAD_FAILED: bad\/model\.onnx: cut\n$/);
  });

  it('ends with 1 and the reason when nothing can start at all', async () => {
    const gateway = new FakeGateway();
    gateway.readyError = new CarpoolError('INVALID_REQUEST', 'no such provider');
    const { ending, host } = await check(gateway);
    expect([ending.exitCode, host.err, gateway.calls]).toEqual([1, ['no such provider\n'], ['close']]);
  });
});

describe('carpool serve', () => {
  it.each([
    [{ isTTY: true }, [], 'out'],
    [{ isTTY: false }, [], 'err'],
    [{ isTTY: true }, ['--set', 'log.format=json'], 'err'],
    [{ isTTY: false }, ['--set', 'log.format=pretty'], 'out'],
  ] as const)('keeps the banner out of JSON logs: %j %j', async (terminal, args, stream) => {
    const host = fakeHost(new FakeGateway(), terminal);
    void runCli(['serve', ...args], host);
    await settle();
    expect(host[stream].join('')).toMatch(/^carpool 1\.2\.3 listens on http:\/\/127\.0\.0\.1:8080\n/);
    expect(host[stream === 'out' ? 'err' : 'out']).toEqual([]);
  });

  it.each([
    [{ code: 'EADDRINUSE' }, /^port 8080 on 127\.0\.0\.1 is already in use; .*--set server\.port=9090/],
    [{ cause: { code: 'EADDRINUSE' }, code: 'INTERNAL' }, /^port 8080 on 127\.0\.0\.1 is already in use/],
    [{ code: 'EACCES' }, /^no permission to listen on port 8080/],
    [{ code: 'ENOTFOUND' }, /^server\.host: expected an address of this machine, got "127\.0\.0\.1"/],
    [{ code: 'MODEL_UNAVAILABLE' }, /^broken\n$/],
    [{ code: 'EMFILE' }, /^broken\n$/],
    [{}, /^Error: broken\n {4}at /],
  ])('a failed start %j closes the gateway and ends with 1', async (fields, message) => {
    const gateway = new FakeGateway();
    gateway.closesAtOnce = true;
    gateway.listenError = Object.assign(new Error('broken'), fields);
    const host = fakeHost(gateway);
    expect((await runCli(['serve'], host)).exitCode).toBe(1);
    expect(host.err.join('')).toMatch(message);
    expect(gateway.calls).toEqual(['listen', 'close']);
    expect(host.signals.eventNames()).toEqual([]);
  });
});
