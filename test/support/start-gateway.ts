import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../src/config/schema.js';
import { createGateway, type Gateway, type GatewayDeps, type StartReport } from '../../src/gateway.js';
import { HttpClient } from './http-client.js';

/** Seen from dist/test/support. */
export const REPO_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const SHIPPED_MODELS = path.join(REPO_ROOT, 'models');
export const FIXTURES = path.join(REPO_ROOT, 'test/fixtures/models');

export interface Running {
  readonly url: string;
  readonly gateway: Gateway;
  readonly client: HttpClient;
  readonly report: StartReport;
  /** Where `grpc.enabled` is true. */
  readonly grpc: { readonly host: string; readonly port: number } | undefined;
  /** Closes client and gateway. */
  close(): Promise<'drained' | 'deadline'>;
}

/** The shipped models on any free port, silent, with two lanes; `overrides` go over that, section by section. */
export const startGateway = async (overrides: ConfigInput = {}, deps: GatewayDeps = {}): Promise<Running> => {
  const config: ConfigInput = {
    // Nothing is measured beside the test, and nothing is left of it on disk.
    batching: { calibrate: 'off', ...overrides.batching },
    server: { host: '127.0.0.1', port: 0, ...overrides.server },
    log: { level: 'silent', ...overrides.log },
    lanes: { count: 2, intraOpThreads: 1, ...overrides.lanes },
    models: { root: SHIPPED_MODELS, trial: false, ...overrides.models },
    ...(overrides.grpc === undefined ? {} : { grpc: overrides.grpc }),
    ...(overrides.tracing === undefined ? {} : { tracing: overrides.tracing }),
    ...(overrides.limits === undefined ? {} : { limits: overrides.limits }),
    ...(overrides.cache === undefined ? {} : { cache: overrides.cache }),
    ...(overrides.access === undefined ? {} : { access: overrides.access }),
  };
  const gateway = createGateway(config, deps);
  const { url, grpc } = await gateway.listen();
  const report = await gateway.ready();
  const client = new HttpClient(url);
  return {
    url,
    gateway,
    client,
    report,
    grpc,
    close: () => {
      client.close();
      return gateway.close();
    },
  };
};

export interface TempFolder {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

export const tempFolder = async (): Promise<TempFolder> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'carpool-test-'));
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
};

/**
 * A model root with every fixture as `<name>.onnx` (not loaded at the start: only folders are), the shipped models,
 * whose callers must not notice anything, and whatever `files` names: path -> content.
 */
export const tempModelRoot = async (
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TempFolder> => {
  const folder = await tempFolder();
  await cp(FIXTURES, folder.path, { recursive: true });
  for (const model of ['spam', 'fraud_detector'])
    await cp(path.join(SHIPPED_MODELS, model), path.join(folder.path, model), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder.path, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return folder;
};

/** Polls until `check` says yes. @throws after `limitMs` */
export const until = async (
  what: string,
  check: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> => {
  const giveUpAt = performance.now() + limitMs;
  while (!(await check())) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
};
