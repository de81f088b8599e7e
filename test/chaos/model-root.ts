import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const SHIPPED = ['spam', 'fraud_detector'];
/** Folder in the root -> test model. */
const FIXTURES = {
  /** y = idx * 10 + 0.5 for an idx in 0..9; one beyond that fails the whole run. */
  poison: 'poison_rows',
  /** y = x + 1 after 100 to 200 ms. */
  slow: 'slow',
  /** y = x + 1, one row a run. */
  guest_plus: 'fixed_one',
  /** y = x * 3 + 1, four rows a run. */
  guest_times: 'fixed_batch',
  broken: 'broken',
};

/** A model root of copies (links out of a root are refused), to be loaded from, swapped in and broken at will. */
export const createModelRoot = (): { readonly root: string; remove(): void } => {
  const root = mkdtempSync(join(tmpdir(), 'carpool-chaos-'));
  for (const name of SHIPPED) cpSync(join(PROJECT, 'models', name), join(root, name), { recursive: true });
  for (const [name, fixture] of Object.entries(FIXTURES)) {
    mkdirSync(join(root, name));
    cpSync(join(PROJECT, 'test/fixtures/models', `${fixture}.onnx`), join(root, name, 'model.onnx'));
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
};

/** Time for a body, short: clients that send half of one and stay must get their 408 while the storm lasts. */
export const BODY_TIMEOUT_MS = 2_000;
export const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
/** Rows that wait for `poison` at most, so few that its queue overflows. */
const POISON_QUEUE_ROWS = 16;

/** `guest` is loaded, swapped and unloaded later. */
export const chaosConfig = (root: string, isolation: 'thread' | 'process'): object => ({
  server: {
    port: 0,
    bodyTimeoutMs: BODY_TIMEOUT_MS,
    headersTimeoutMs: BODY_TIMEOUT_MS,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    accessLogPerSecond: 0,
  },
  lanes: { isolation },
  batching: { timeoutMs: 40_000 },
  models: {
    root,
    load: [...SHIPPED, 'poison', 'slow'],
    default: 'spam',
    poison: { batching: { maxQueue: POISON_QUEUE_ROWS } },
  },
});
