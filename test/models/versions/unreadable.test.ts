import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { versionsSchema } from '../../../src/config/versions.js';
import { CarpoolError } from '../../../src/errors.js';
import { openLinkOf } from '../../../src/executor/open-link.js';
import { Registry } from '../../../src/models/registry.js';
import { policyOf } from '../../../src/models/versions/policy.js';
import { startModelHost, type ModelHost } from '../../support/model-host.js';
import { makeTempRoot, type TempRoot } from '../../support/temp-root.js';

let root: TempRoot;
let host: ModelHost;
beforeEach(async () => {
  root = await makeTempRoot();
  host = await startModelHost(root.path, openLinkOf('thread'), {
    batching: { calibrate: 'off', batchInvariance: 'off' },
  });
});
afterEach(async () => {
  await host.close();
  await root.remove();
});

describe('versions whose files can not be looked at', () => {
  it('go on as they are', async () => {
    const { loader } = host;
    // Nothing else would keep what serves.
    const policy = policyOf(versionsSchema.parse({ keepPrevious: false }));
    const registry = new Registry(loader, undefined, () => policy);
    await root.copy('fixed_one', 'm/1/model.onnx');
    await root.copy('fixed_batch', 'm/2/model.onnx');
    const second = await registry.refresh('m');
    const stampOf = loader.stampOf.bind(loader);
    for (const unreadable of ['m', 'm/2']) {
      loader.stampOf = (path) =>
        path === unreadable ? Promise.reject(new CarpoolError('MODEL_LOAD_FAILED', 'EMFILE')) : stampOf(path);
      await registry.refresh('m').catch(() => undefined);
      expect(registry.get('m')).toBe(second);
    }
    loader.stampOf = stampOf;
    expect(await registry.refresh('m')).toBe(second);
    expect(registry.badVersions('m').size).toBe(0);
  });
});
