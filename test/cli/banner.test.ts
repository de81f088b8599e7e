import { describe, expect, it } from '@jest/globals';
import { renderBanner } from '../../src/cli/banner.js';
import { curlLine } from '../../src/cli/curl.js';
import { resolveConfig } from '../../src/config/resolve.js';
import type { StartReport } from '../../src/gateway.js';
import { cardSchema } from '../../src/models/card.js';
import { fraud, model, reportOf, spam, spec } from './fakes.js';

const url = 'http://127.0.0.1:8080';
const banner = (
  report: StartReport,
  config: unknown = {},
  grpc?: { readonly host: string; readonly port: number },
): string =>
  renderBanner({
    version: '1.2.3',
    url,
    grpc,
    report,
    config: resolveConfig(config, '/base'),
    file: 'config.yaml',
  });
const curl = (models: StartReport['models'], config: unknown = {}): string =>
  curlLine(url, models, resolveConfig(config, '/base'));

describe('renderBanner', () => {
  it('says where, which models, how many lanes and what to try', () => {
    expect(
      banner(reportOf([spam, fraud], [{ name: 'bad', code: 'MODEL_LOAD_FAILED', message: 'no\n graph' }])),
    ).toBe(
      [
        'carpool 1.2.3 listens on http://127.0.0.1:8080',
        'models',
        '  spam            text-classification     texts → [ham, spam]  ' +
          '(input_ids int64[batch,sequence], attention_mask int64[batch,sequence])',
        '  fraud_detector  tabular-classification  rows → is_fraud      (float_input float32[batch,30])',
        'failed',
        '  bad  MODEL_LOAD_FAILED: no graph',
        'lanes   2 thread lanes × 1 intra-op thread',
        'config  config.yaml',
        "try     curl http://127.0.0.1:8080/predict -H 'content-type: application/json' " +
          `-d '{"texts":["Call now to claim your free prize"]}'`,
        '',
      ].join('\n'),
    );
  });

  it('says where it listens for gRPC', () => {
    const text = banner(reportOf([spam]), {}, { host: '127.0.0.1', port: 8081 });
    expect(text).toContain('\ngrpc    127.0.0.1:8081\nlanes ');
  });

  it('says how a model is batched when not freely', () => {
    const text = banner(
      reportOf([
        model('four', [spec('x', 'float32', 4, 2)], { batch: { mode: 'fixed', size: 4 } }),
        model('alone', [spec('x', 'float32')], { batch: { mode: 'single', reason: 'y has no batch axis' } }),
      ]),
    );
    expect(text).toMatch(
      /^ {2}four +tensor +tensors → y float32\[batch,3\] +\(x float32\[4,2\]\) +in chunks of 4$/m,
    );
    expect(text).toMatch(/^ {2}alone .* \(x float32\[\]\) +one request at a time: y has no batch axis$/m);
  });

  it.each([
    ['equal-lengths', true, 'only texts of equal length are joined: it leaks'],
    ['one-by-one', true, 'one text at a time: it leaks'],
    ['one-by-one', false, 'joined although rows change each other (batchInvariance: warn): it leaks'],
  ] as const)('says how rows are joined that change each other: %s, enforced %s', (cls, enforced, words) => {
    const mode = cls === 'one-by-one' && enforced ? 'single' : 'dynamic';
    const invariance = { class: cls, enforced, tolerance: 1e-4, runs: 28, outputs: [] };
    const text = banner(reportOf([{ ...spam, batch: { mode, reason: 'it leaks', invariance } }]));
    expect(text).toContain(`  ${words}\n`);
  });

  it('notes settings that fit no model, with the nearest name', () => {
    const config = { models: { default: 'spma', frod_detector: { batching: { maxBatch: 2 } } } };
    const text = banner(reportOf([spam, fraud]), config);
    expect(text).toContain(
      '  models.frod_detector has settings for a model that is not loaded; did you mean "fraud_detector"?\n' +
        '  models.default is "spma", which is not loaded; did you mean "spam"?\n',
    );
    expect(banner(reportOf([spam, fraud]), { models: { default: 'spam', spam: {} } })).not.toContain('notes');
  });

  it('serves on without any model, and says so', () => {
    const text = banner(reportOf([]));
    expect(text).toContain('  no model is loaded; models.root is /base/models\n');
    expect(text).toContain(`try     curl ${url}/health\n`);
  });

  it('lets no name or reason break out of its line or colour the terminal', () => {
    const failed = [{ name: 'a\nb', code: 'X', message: 'one\u001b[31m\r\ntwo' }];
    expect(banner(reportOf([], failed))).toContain('  a b  X: one [31m two\n');
  });

  it('cuts long lists of labels', () => {
    const labels = Array.from({ length: 1000 }, (_, at) => `l${at}`);
    expect(banner(reportOf([{ ...spam, labels }]))).toContain(
      'texts → [l0, l1, l2, l3, l4, l5, … 1000 in all]',
    );
  });
});

describe('curlLine', () => {
  const other = { ...spam, name: 'other' };
  const bodyOf = (line: string): unknown => JSON.parse(/ -d '(.*)'$/.exec(line)?.[1] ?? 'no body');

  it('names the text model where /predict could not know it', () => {
    expect(bodyOf(curl([fraud, spam]))).toEqual({ texts: [expect.any(String)] });
    expect(bodyOf(curl([other, spam]))).toMatchObject({ model: 'other' });
    expect(bodyOf(curl([other, spam], { models: { default: 'spam' } }))).toEqual({
      texts: [expect.any(String)],
    });
  });

  it('sends one row of zeros to a tensor model', () => {
    expect(curl([fraud])).toMatch(/^curl http:\/\/127\.0\.0\.1:8080\/v1\/models\/fraud_detector\/infer /);
    expect(bodyOf(curl([fraud]))).toEqual({ inputs: { float_input: [new Array(30).fill(0)] } });
  });

  it('shapes every input by its dims, the card and the dtype', () => {
    const inputs = [
      spec('fixed', 'float32', 4, 2),
      spec('named', 'int64', 'batch', 'width'),
      spec('flag', 'bool', 'batch', 1),
      spec('word', 'string', 'batch'),
    ];
    const card = cardSchema.parse({ selfTest: { dims: { width: 3 } } });
    const fixed = model("it's/odd", inputs, { card, batch: { mode: 'fixed', size: 4 } });
    expect(curl([fixed])).toContain("/v1/models/it's%2Fodd/infer");
    expect(bodyOf(curl([fixed]))).toEqual({
      inputs: { fixed: [[0, 0]], named: [[0, 0, 0]], flag: [[false]], word: [''] },
    });
    const single = model('one', [spec('x', 'float32'), spec('y', 'float32', 2)], {
      batch: { mode: 'single' },
    });
    expect(bodyOf(curl([single]))).toEqual({ inputs: { x: 0, y: [0, 0] } });
  });

  it('asks for the metadata where the zeros would fill the screen', () => {
    expect(curl([model('image', [spec('x', 'float32', 'batch', 3, 224, 224)])])).toBe(
      'curl http://127.0.0.1:8080/v1/models/image',
    );
  });

  it('quotes for the shell', () => {
    expect(curl([model('m', [spec("it's", 'float32', 'batch')])])).toContain(
      `-d '{"inputs":{"it'\\''s":[0]}}'`,
    );
  });
});
