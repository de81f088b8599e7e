import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GatewayProcess } from '../chaos/gateway-process.js';
import { targetsOf, type Target } from './targets.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
/** Folder in the root -> where it comes from: a model of every task that the document's examples name. */
const MODELS = {
  spam: 'models/spam',
  fraud_detector: 'models/fraud_detector',
  embedder: 'test/reference/models/st-mean',
  reranker: 'test/reference/models/bert-rerank',
  zero_shot: 'test/reference/models/deberta-nli',
  entities: 'test/reference/models/bert-ner',
  images: 'test/reference/models/image-vit',
};

const PICTURES = [
  'tiny.png',
  'bits.png',
  'palette-clear.png',
  'turned-6.jpg',
  'progressive.jpg',
  'lossless.webp',
];

/** Small, so that bodies beyond it are cheap to send. */
const BODY_LIMIT_BYTES = 256 * 1024;

/** A gateway in a process of its own that serves a model of every task over every protocol, to be attacked. */
export interface Siege {
  readonly gateway: GatewayProcess;
  readonly port: number;
  readonly grpcPort: number;
  readonly targets: readonly Target[];
  readonly bodyLimitBytes: number;
  /** Of every format, to be broken. */
  readonly pictures: readonly Buffer[];
  /** @returns how it ended: `drained, code 0` is right */
  readonly end: (limitMs: number) => Promise<string>;
  /** Ends it at once, where it still runs, and removes its files. */
  readonly raze: () => void;
}

/** @param overrides section by section over a gateway with small limits. @throws Error when it does not start */
export const besiege = async (overrides: { readonly lanes?: object } = {}): Promise<Siege> => {
  const root = mkdtempSync(join(tmpdir(), 'carpool-hostile-'));
  for (const [name, from] of Object.entries(MODELS))
    cpSync(join(PROJECT, from), join(root, name), { recursive: true });
  // Loaded and unloaded by admin calls only.
  for (const name of ['guest', 'second']) {
    mkdirSync(join(root, name));
    cpSync(join(PROJECT, 'test/fixtures/models/multi_io.onnx'), join(root, name, 'model.onnx'));
  }
  const gateway = await GatewayProcess.start({
    server: {
      ...{ port: 0, bodyLimitBytes: BODY_LIMIT_BYTES, maxRequestRows: 2_000, maxImagePixels: 1_000_000 },
      ...{ headersTimeoutMs: 2_000, bodyTimeoutMs: 2_000, accessLogPerSecond: 0 },
    },
    grpc: { enabled: true, port: 0, maxMessageBytes: BODY_LIMIT_BYTES },
    lanes: { count: 2, intraOpThreads: 1, ...overrides.lanes },
    batching: { calibrate: 'off', batchInvariance: 'off', timeoutMs: 20_000 },
    models: { root, load: Object.keys(MODELS), default: 'spam' },
  });
  const { port, grpcPort } = gateway;
  const document: unknown = await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).json();
  return {
    ...{ gateway, port, grpcPort, targets: targetsOf(document), bodyLimitBytes: BODY_LIMIT_BYTES },
    pictures: PICTURES.map((name) => readFileSync(join(PROJECT, 'test/reference/images', name))),
    end: (limitMs) => gateway.close(limitMs),
    raze: () => {
      gateway.kill();
      rmSync(root, { recursive: true, force: true });
    },
  };
};
