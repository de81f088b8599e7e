import { describe, expect, it } from '@jest/globals';
import { runCli } from '../../src/cli/run-cli.js';
import type { Finding, Measured } from '../../src/models/invariance/measure.js';
import type { Verification } from '../../src/models/invariance/verify.js';
import type { Ending } from '../../src/cli/host.js';
import { FakeGateway, fakeHost, fraud, model, reportOf, spam, spec } from './fakes.js';

const finding = (difference: number): Finding => ({
  difference,
  rows: 8,
  position: 2,
  length: 4,
  longest: 16,
});

const measured = (equal: number, padded?: number): Measured => ({
  outputs: [
    {
      name: 'logits',
      equalLengths: { ...finding(equal), longest: 4 },
      padded: padded === undefined ? undefined : finding(padded),
    },
  ],
  runs: 876,
  cutShort: false,
});

const FINE: Verification = {
  model: spam,
  measured: measured(4e-7, 0),
  tolerance: 1e-4,
  found: 'any',
  served: 'any',
  ok: true,
  reason: undefined,
};

const LEAKS: Verification = {
  ...FINE,
  measured: measured(0.2285, Infinity),
  found: 'one-by-one',
  ok: false,
  reason: "output 'logits' of a row changes",
};

const verify = async (
  verifications: readonly Verification[],
  args: readonly string[] = [],
  failed: Parameters<typeof reportOf>[1] = [],
): Promise<{ ending: Ending; out: string; err: string; gateway: FakeGateway }> => {
  const gateway = new FakeGateway();
  gateway.closesAtOnce = true;
  gateway.report = reportOf(
    verifications.map((verification) => verification.model),
    failed,
  );
  for (const verification of verifications) gateway.verifications.set(verification.model.name, verification);
  const host = fakeHost(gateway);
  const ending = await runCli(['verify', ...args], host);
  return { ending, out: host.out.join(''), err: host.err.join(''), gateway };
};

describe('carpool verify', () => {
  it('prints a table a model and ends with 0 where every row is answered as if alone', async () => {
    const { ending, out, gateway } = await verify([FINE]);
    expect(ending.exitCode).toBe(0);
    expect(out).toBe(
      [
        'OK      spam  invariant: any rows together; served: any rows together (876 runs; tolerance 0.0001)',
        '        output  same length        padded',
        '        logits  4e-7 (row 3 of 8)  0',
        '',
      ].join('\n'),
    );
    expect(gateway.calls).toEqual(['verify spam 20000', 'close']);
    expect(gateway.config?.log.level).toBe('silent');
  });

  it('ends with 1 where a model leaks as it is served, and says what to do', async () => {
    const { ending, out } = await verify([FINE, { ...LEAKS, model: { ...spam, name: 'leaky' } }]);
    expect(ending.exitCode).toBe(1);
    expect(out).toContain('\nLEAKS   leaky  invariant: one by one; served: any rows together (');
    expect(out).toContain('logits  0.229 (row 3 of 8)  unlike (row 3 of 8, 4 tokens beside 16)\n');
    expect(out).toContain("        output 'logits' of a row changes\n");
    expect(out).toMatch(/to serve it right: batchInvariance: enforce/);
  });

  it('ends with 0 where a model leaks and is served so that it does not matter', async () => {
    const { ending, out } = await verify([{ ...LEAKS, served: 'one-by-one', ok: true }]);
    expect(ending.exitCode).toBe(0);
    expect(out).toMatch(/^OK {6}spam {2}invariant: one by one; served: one by one \(/);
  });

  it('says why there is nothing to measure', async () => {
    const batch = { mode: 'single', reason: "input 's' is a\nscalar" } as const;
    const scalar = model('scalar', [spec('s', 'float32')], { batch });
    const { out } = await verify([
      { ...FINE, model: scalar, measured: undefined, served: 'one-by-one', found: 'one-by-one' },
    ]);
    expect(out).toBe("OK      scalar  served one by one: input 's' is a scalar\n");
  });

  it('says what failed instead of where', async () => {
    const problem = '8 rows together fail: no';
    const outputs = [{ name: 'y', equalLengths: { ...finding(Infinity), problem }, padded: undefined }];
    const { out } = await verify([{ ...LEAKS, measured: { ...measured(0), outputs }, reason: problem }]);
    expect(out).toContain('        y       unlike       -\n        8 rows together fail: no\n');
  });

  it('says that the time was too short', async () => {
    const { out } = await verify([{ ...FINE, measured: { ...measured(0, 0), cutShort: true } }]);
    expect(out).toContain('(876 runs, cut short by --seconds; tolerance 0.0001)');
  });

  it('ends with 1 where a model is not loaded', async () => {
    const failed = [{ name: 'bad', code: 'MODEL_LOAD_FAILED', message: 'no' }];
    const { ending, out } = await verify([FINE], [], failed);
    expect(ending.exitCode).toBe(1);
    expect(out).toMatch(/\nFAILED {2}bad {2}MODEL_LOAD_FAILED: no\n$/);
  });

  it('ends with 1 where the lanes die under it', async () => {
    const { ending, err } = await verify([FINE], []);
    expect([ending.exitCode, err]).toEqual([0, '']);
    const gateway = new FakeGateway();
    gateway.closesAtOnce = true;
    const host = fakeHost(gateway);
    expect((await runCli(['verify'], host)).exitCode).toBe(1);
    expect(host.err.join('')).toContain('no verification of spam');
    expect(gateway.calls).toEqual(['verify spam 20000', 'close']);
  });

  it('takes one model and another time', async () => {
    const { gateway } = await verify([FINE], ['--model', 'spam', '--seconds', '0.5']);
    expect(gateway.config?.models.load).toEqual(['spam']);
    expect(gateway.calls[0]).toBe('verify spam 500');
  });

  it.each(['0', '-1', 'soon', '1e9'])('refuses --seconds %s', async (seconds) => {
    const { ending, err, gateway } = await verify([FINE], ['--seconds', seconds]);
    expect(ending.exitCode).toBe(2);
    expect(err).toBe(`--seconds: expected a number above 0, at most 3600, got "${seconds}"\n`);
    expect(gateway.calls).toEqual([]);
  });

  it('prints JSON', async () => {
    const fraudFine = { ...FINE, model: fraud, measured: measured(0) };
    const { out } = await verify([LEAKS, fraudFine], ['--json']);
    expect(JSON.parse(out)).toEqual({
      ok: false,
      models: [
        {
          name: 'spam',
          ok: false,
          invariant: 'one-by-one',
          served: 'any',
          tolerance: 1e-4,
          runs: 876,
          cut_short: false,
          outputs: [
            {
              name: 'logits',
              equal_lengths: { difference: 0.229, rows: 8, position: 2, length: 4, longest: 4 },
              padded: { difference: 'unlike', rows: 8, position: 2, length: 4, longest: 16 },
            },
          ],
          reason: "output 'logits' of a row changes",
        },
        expect.objectContaining({ name: 'fraud_detector', ok: true, reason: null }),
      ],
      failed: [],
    });
  });
});
