import { EventEmitter } from 'node:events';
import type { CliHost } from '../../src/cli/host.js';
import type { Config } from '../../src/config/schema.js';
import type { Gateway, StartReport } from '../../src/gateway.js';
import { cardSchema } from '../../src/models/card.js';
import type { Verification } from '../../src/models/invariance/verify.js';
import type { ModelInfo } from '../../src/models/model-info.js';
import type { DType, TensorSpec } from '../../src/tensor.js';
import { resolveConfig } from '../../src/config/resolve.js';

export const spec = (name: string, dtype: DType, ...shape: (number | string)[]): TensorSpec => ({
  name,
  dtype,
  shape,
});

export const model = (
  name: string,
  inputs: readonly TensorSpec[],
  more: Partial<ModelInfo> = {},
): ModelInfo => ({
  name,
  card: cardSchema.parse({}),
  signature: { inputs, outputs: [spec('y', 'float32', 'batch', 3)] },
  batch: { mode: 'dynamic' },
  batching: resolveConfig({}, '/base').batching,
  takesTexts: false,
  loadedAt: '2026-01-01T00:00:00.000Z',
  ...more,
});

export const spam = model(
  'spam',
  [spec('input_ids', 'int64', 'batch', 'sequence'), spec('attention_mask', 'int64', 'batch', 'sequence')],
  { card: cardSchema.parse({ task: 'text-classification' }), takesTexts: true, labels: ['ham', 'spam'] },
);

export const fraud = model('fraud_detector', [spec('float_input', 'float32', 'batch', 30)], {
  card: cardSchema.parse({
    task: 'tabular-classification',
    classifier: { predictions: 'label', probabilities: 'probabilities', flag: 'is_fraud' },
  }),
});

export const reportOf = (models: readonly ModelInfo[], failed: StartReport['failed'] = []): StartReport => ({
  lanes: { count: 2, isolation: 'thread', intraOpThreads: 1 },
  models,
  failed,
});

/** A gateway that does what the test says and writes down what was asked of it. */
export class FakeGateway {
  readonly calls: string[] = [];
  config: Config | undefined;
  report: StartReport = reportOf([spam]);
  readonly verifications = new Map<string, Verification>();
  running = false;
  listenError: Error | undefined;
  readyError: Error | undefined;
  /** Set to hold `listen()` open for ever. */
  hangs = false;
  /** Settles the running `close()`. */
  readonly closing = new EventEmitter();

  readonly create = (config: Config): Gateway => {
    this.config = config;
    return {
      get router(): never {
        throw new Error('the commands have no business with the router');
      },
      ready: () => (this.readyError ? Promise.reject(this.readyError) : Promise.resolve(this.report)),
      listen: () => {
        this.calls.push('listen');
        if (this.hangs) return new Promise(() => undefined);
        if (this.listenError) return Promise.reject(this.listenError);
        return Promise.resolve({ host: '127.0.0.1', port: 8080, url: 'http://127.0.0.1:8080' });
      },
      close: () => {
        this.calls.push('close');
        return new Promise((resolve, reject) => {
          this.closing.once('closed', resolve).once('broken', reject);
          if (this.closesAtOnce) resolve('drained');
        });
      },
      verify: (name, budgetMs) => {
        this.calls.push(`verify ${name} ${budgetMs}`);
        const verification = this.verifications.get(name);
        return verification === undefined
          ? Promise.reject(new Error(`no verification of ${name}`))
          : Promise.resolve(verification);
      },
      reload: (load) => {
        this.calls.push(`reload ${load().server.port}`);
        return Promise.resolve({ applied: [], needRestart: [], problems: [] });
      },
      abandon: () => void this.calls.push('abandon'),
      isRunning: () => this.running,
      lanePids: () => [],
      logLevel: {
        state: { level: 'info', configured: 'info' },
        set: (level) => void this.calls.push(`log ${level}`),
        toggleDebug: () => void this.calls.push('toggle debug'),
      },
    };
  };
  closesAtOnce = false;
}

export interface FakeHost extends CliHost {
  readonly signals: EventEmitter;
  readonly out: string[];
  readonly err: string[];
  nowMs: number;
}

export const fakeHost = (
  gateway: FakeGateway,
  more: { env?: Record<string, string>; isTTY?: boolean; cwd?: string } = {},
): FakeHost => {
  const out: string[] = [];
  const err: string[] = [];
  const host: FakeHost = {
    version: '1.2.3',
    env: more.env ?? {},
    // A folder without a config.yaml.
    cwd: more.cwd ?? '/nonexistent',
    stdout: { write: (text: string) => out.push(text), isTTY: more.isTTY },
    stderr: { write: (text: string) => err.push(text) },
    signals: new EventEmitter(),
    now: () => host.nowMs,
    createGateway: gateway.create,
    out,
    err,
    nowMs: 0,
  };
  return host;
};

/** Lets everything that is already decided happen. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
